"""Folds events into what is known so far: rows, lease holders, calls in flight, messages.

Operations ask the ledger what is possible, invariants what was true, reach which situation a call met.
It keeps its *own* record of who holds a lease, because ``locked_by`` cannot be trusted: all workers may
share one worker id.  It judges nothing, and it knows only what the events say: a row that changed without
an :class:`~statemachine.history.events.Observed` has not changed here.

Times are seconds, UTC, from the start of the history, by the common clock where nothing else is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.legality import Question, Ruled, ruling, ruling_on
from statemachine.lifecycle import ACQUISITIONS, FINISHES, Answer, JobRow, Lifecycle, Operation

_UNDOING = ("error_before_commit", "error_before_statement", "deadlock", "serialization_failure")
"""Faults that roll back the transaction in which they strike and leave their caller alive."""


class Holder(NamedTuple):
    """The attempt that owns a job, from its committed acquisition on."""

    attempt: int  # its fencing token
    actor: str  # who acquired
    leased_at: float  # the acquisition or its latest renewal, by the holder's own clock
    expires_at: float  # ``leased_at`` plus the declared lease, whatever the row says
    call: int  # the call that acquired


@dataclass(slots=True)
class CallFacts:
    """One operation from its invocation on."""

    invoked: history.Invoked
    rulings: list[Ruled]
    """The table's ruling for each committed state and each second between invocation and answer.

    The first is that at the invocation.
    """
    holder: Holder | None  # who owned the job at the invocation
    wrote: Ruled | None = None  # the ruling for the state that its own commit found; None: nothing written
    committed: bool = False  # whether a transaction of it was committed
    faults: list[str] = field(default_factory=list)  # the names of those that struck it
    changes: list[Change] = field(default_factory=list)  # the rows that its commits changed
    sent: list[str] = field(default_factory=list)  # the job of each message that it sent
    found: dict[str, JobRow | None] = field(default_factory=dict)
    """Of a call that names no job (a sweep): by job, the row at the invocation, if changed since."""
    undone: bool = False  # a database error rolled back its latest transaction; none was committed since


class Change(NamedTuple):
    """The row of one job before and after one commit."""

    job: str
    before: JobRow | None  # None: there was no row
    after: JobRow | None  # None: there is none any more
    call: CallFacts  # the call that committed
    holder: Holder | None  # who owned the job before
    at: float  # when, by the clock of the actor who wrote
    acquisitions: int  # of the job so far, this change included
    endings: int  # terminal commits of the job so far, this change included


@dataclass(slots=True)
class MessageFacts:
    """One message, and where it is."""

    name: str
    job: str  # empty: its body cannot be read
    tenant: str
    forged: bool  # sent by the world, not by the system under test
    place: str = "queue"  # queue, dlq, deleted or redriven
    receipt: str | None = None  # the latest one
    visible_at: float = 0  # when it may be received again
    hurried_by: float = 0  # by how many seconds its latest change of visibility made it visible earlier


class DeliveryState(NamedTuple):
    """What a worker received last, and the answer of its prepare."""

    message: str
    job: str
    tenant: str
    attempt: int | None = None  # the fencing token that it was given and has not finished with
    refused_until: float | None = None  # refused because of a live lease: when that lease ends


class Owed(NamedTuple):
    """A job at the beginning of the drain, to compare its end with."""

    ended: bool  # it was terminal
    living_holder: bool  # a living worker could still finish it
    acquisitions: int  # so far


class Ledger:
    """The state of one history so far.  :meth:`apply` takes the next event; the rest is read-only."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.now: float = 0  # the second of the latest event
        self.step = 0
        self.draining = False  # the drain has begun
        self.rows: dict[str, JobRow] = {}  # by job, as last observed
        self.created_at: dict[str, float] = {}  # by job: when its row was first observed
        self.skews: dict[str, float] = {}  # by worker: how many seconds its clock is ahead
        self.holders: dict[str, Holder] = {}  # by job, while an attempt owns it, even past its lease
        self.acquisitions: Counter[str] = Counter()  # by job
        self.terminal_commits: Counter[str] = Counter()  # by job: how often it entered a terminal status
        self.messages: dict[str, MessageFacts] = {}  # by name
        self._messages_by_job: dict[str, list[MessageFacts]] = {}
        self.calls: dict[int, CallFacts] = {}  # by number, all there were
        self.open_calls: dict[int, CallFacts] = {}  # those not yet answered
        self.deliveries: dict[str, DeliveryState] = {}  # by worker, while it lives
        self.owed: dict[str, Owed] = {}  # by job, filled when the drain begins
        self.changes: list[Change] = []  # those of the latest Observed
        self.others: str | None = None  # the first aggregate over all other rows
        self._folds: dict[type[Event], Callable[[Any], None]] = {
            history.StepBegan: self._step_began,
            history.ClockMoved: self._clock_moved,
            history.ClockSkewed: self._clock_skewed,
            history.Invoked: self._invoked,
            history.FaultStruck: self._fault_struck,
            history.Committed: self._committed,
            history.Observed: self._observed,
            history.OthersCounted: self._others_counted,
            history.Returned: self._returned,
            history.Raised: self._ended,
            history.Unknown: self._ended,
            history.Killed: self._killed,
            history.Sent: self._sent,
            history.Delivered: self._delivered,
            history.DeleteRequested: self._delete_requested,
            history.VisibilityChanged: self._visibility_changed,
            history.DeadLettered: self._dead_lettered,
            history.Redriven: self._redriven,
            history.MessageCameBack: self._came_back,
            history.DrainBegan: self._drain_began,
        }

    def apply(self, event: Event) -> None:
        """Take the next event.  Types without a fold change only the time."""
        self.now = event.at
        fold = self._folds.get(type(event))
        if fold is not None:
            fold(event)

    # -- queries ----------------------------------------------------------------------------

    def is_terminal(self, job: str) -> bool:
        """Whether ``job`` has a row in a terminal status."""
        row = self.rows.get(job)
        return row is not None and row.status in self.lifecycle.terminal

    def lease_is_live(self, job: str) -> bool:
        """Whether the lease of the attempt that owns ``job`` lasts, by the ledger's own count."""
        holder = self.holders.get(job)
        return holder is not None and self.now < holder.expires_at

    def by_the_clock_of(self, actor: str) -> float:
        """Return the second that ``actor`` reads on its own clock now."""
        return self.now + self.skews.get(actor, 0)

    def is_about(self, message: MessageFacts) -> JobRow | None:
        """Return the row with the message's job id *and* tenant, or None."""
        row = self.rows.get(message.job)
        return row if row is not None and row.tenant == message.tenant else None

    def messages_of(self, job: str) -> list[MessageFacts]:
        """Return the messages, in the queue or in its DLQ, that can still bring ``job`` to a worker."""
        row = self.rows.get(job)
        return [
            message
            for message in self._messages_by_job.get(job, ())
            if row is not None and message.tenant == row.tenant and message.place in ("queue", "dlq")
        ]

    def has_living_holder(self, job: str) -> bool:
        """Whether a living worker can finish ``job``: its attempt owns it, or finishes show no token."""
        holder, fenced = self.holders.get(job), self.lifecycle.fenced
        if holder is None:
            return False
        attempts = {delivery.attempt for delivery in self.deliveries.values() if delivery.job == job} - {None}
        return holder.attempt in attempts if fenced else bool(attempts)

    def rules_for(self, call: CallFacts, row: JobRow, now: float) -> Ruled:
        """Return the ruling on ``call``, which names no job, for the job in ``row`` at second ``now``."""
        return ruling_on(call.rulings[0].question, row, now, self.created_at[row.job])

    # -- the folds --------------------------------------------------------------------------

    def _step_began(self, event: history.StepBegan) -> None:
        self.step = event.step

    def _clock_moved(self, event: history.ClockMoved) -> None:
        for call in self.open_calls.values():
            self._reconsider(call, self.rows.get(call.invoked.job))

    def _clock_skewed(self, event: history.ClockSkewed) -> None:
        self.skews[event.worker] = event.seconds

    def _reconsider(self, call: CallFacts, row: JobRow | None) -> None:
        # A call may be answered for any committed state while it was open, so every new one is ruled on.
        latest, now = call.rulings[-1].question, self.by_the_clock_of(call.invoked.actor)
        if latest.row is not row or latest.now != now:
            question = latest._replace(row=row, now=now)
            call.rulings.append(Ruled(question, ruling(question)))

    def _invoked(self, event: history.Invoked) -> None:
        question = Question(
            self.lifecycle,
            event.operation,
            self.rows.get(event.job),
            event.job,
            event.tenant,
            self.by_the_clock_of(event.actor),
            event.attempt,
            event.payload,
            self.created_at.get(event.job),
        )
        ruled = Ruled(question, ruling(question))
        facts = CallFacts(event, [ruled], self.holders.get(event.job))
        self.calls[event.call] = self.open_calls[event.call] = facts

    def _fault_struck(self, event: history.FaultStruck) -> None:
        call = self.calls[event.call]
        call.faults.append(event.fault)
        call.undone = call.undone or event.fault in _UNDOING

    def _committed(self, event: history.Committed) -> None:
        call = self.calls[event.call]
        call.committed, call.undone = True, False

    def _observed(self, event: history.Observed) -> None:
        call = self.calls[event.call]
        self.changes = [self._change(row.job, row, call) for row in event.rows]
        self.changes += [self._change(job, None, call) for job in event.gone]
        call.changes += self.changes

    def _others_counted(self, event: history.OthersCounted) -> None:
        if self.others is None:
            self.others = event.aggregate

    def _change(self, job: str, after: JobRow | None, call: CallFacts) -> Change:
        before, holder = self.rows.get(job), self.holders.get(job)
        if job == call.invoked.job:
            # Ruled on before the row is replaced: ``wrote`` is about the state that the commit found.
            self._reconsider(call, before)
            call.wrote = call.rulings[-1]
        if after is None:
            self.rows.pop(job, None)
        else:
            self.rows[job] = after
            self.created_at.setdefault(job, self.now)
        now = self.by_the_clock_of(call.invoked.actor)
        self._follow_holder(job, after, call.invoked, now)
        terminal = self.lifecycle.terminal
        if after is not None and after.status in terminal and not (before and before.status == after.status):
            self.terminal_commits[job] += 1
        change = Change(
            job, before, after, call, holder, now, self.acquisitions[job], self.terminal_commits[job]
        )
        for other in self.open_calls.values():
            if other is not call and other.invoked.job == job:
                self._reconsider(other, after)
            elif other is not call and not other.invoked.job:
                other.found.setdefault(job, before)
        return change

    def _follow_holder(self, job: str, after: JobRow | None, invoked: history.Invoked, now: float) -> None:
        # To the microsecond, as a database stores it: 0.1 + 0.2 must not decide who holds a lease.
        holder, expires_at = self.holders.get(job), round(now + self.lifecycle.lease_seconds, 6)
        if after is None or after.status != self.lifecycle.running:
            self.holders.pop(job, None)
        elif invoked.operation in ACQUISITIONS:
            self.acquisitions[job] += 1
            self.holders[job] = Holder(after.attempt, invoked.actor, now, expires_at, invoked.call)
        elif (
            # A renewal by an attempt that was superseded moves nobody's lease, whatever the row says now.
            invoked.operation is Operation.RENEW
            and holder
            and (holder.attempt == invoked.attempt or not self.lifecycle.fenced)
        ):
            self.holders[job] = holder._replace(leased_at=now, expires_at=expires_at)

    def _returned(self, event: history.Returned) -> None:
        call = self.calls[event.call]
        invoked = call.invoked
        # Its clock may have been set anew without any ClockMoved: the last second counts as well.
        self._reconsider(call, self.rows.get(invoked.job))
        delivery = self.deliveries.get(invoked.actor)
        if delivery is not None and delivery.job == invoked.job:
            if invoked.operation is Operation.PREPARE:
                granted, holder = event.answer is Answer.ACCEPTED, self.holders.get(invoked.job)
                self.deliveries[invoked.actor] = delivery._replace(
                    attempt=event.attempt if granted else None,
                    refused_until=holder.expires_at if holder and not granted else None,
                )
            elif invoked.operation in FINISHES:
                self.deliveries[invoked.actor] = delivery._replace(attempt=None)
        self._ended(event)

    def _ended(self, event: history.Returned | history.Raised | history.Unknown) -> None:
        self.open_calls.pop(event.call, None)

    def _killed(self, event: history.Killed) -> None:
        self.deliveries.pop(event.worker, None)

    def _sent(self, event: history.Sent) -> None:
        self._add(MessageFacts(event.message, event.job, event.tenant, event.forged))
        if event.call in self.calls:
            self.calls[event.call].sent.append(event.job)

    def _add(self, message: MessageFacts) -> None:
        self.messages[message.name] = message
        self._messages_by_job.setdefault(message.job, []).append(message)

    # A log may begin in the middle: a message that was never seen to be sent is passed over.

    def _delivered(self, event: history.Delivered) -> None:
        message = self.messages.get(event.message)
        if message is not None:
            message.receipt, message.visible_at = event.receipt, event.visible_at
            self.deliveries[event.worker] = DeliveryState(message.name, message.job, message.tenant)

    def _delete_requested(self, event: history.DeleteRequested) -> None:
        if event.effective:
            self._put(event.message, "deleted")

    def _visibility_changed(self, event: history.VisibilityChanged) -> None:
        message = self.messages.get(event.message)
        if message is not None and event.effective:
            message.hurried_by = message.visible_at - event.visible_at
            message.visible_at = event.visible_at

    def _dead_lettered(self, event: history.DeadLettered) -> None:
        self._put(event.message, "dlq")

    def _redriven(self, event: history.Redriven) -> None:
        old = self.messages.get(event.message)
        if old is not None:
            old.place = "redriven"  # SQS gives a redriven message a new id and a receive count of 0
            self._add(MessageFacts(event.renewed, old.job, old.tenant, old.forged))

    def _came_back(self, event: history.MessageCameBack) -> None:
        self._put(event.message, "queue")

    def _put(self, name: str, place: str) -> None:
        if name in self.messages:
            self.messages[name].place = place

    def _drain_began(self, event: history.DrainBegan) -> None:
        self.draining = True
        self.owed = {
            job: Owed(self.is_terminal(job), self.has_living_holder(job), self.acquisitions[job])
            for job in self.rows
        }
