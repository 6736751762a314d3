"""One fold of events into what is known: rows, holders, calls, messages.

Operations ask it what is possible, invariants what was true, reach which situation a call met.
It keeps its *own* record of who holds a lease, because ``locked_by`` cannot be trusted: a fleet may
share one worker id.  It judges nothing, and it knows only what the events say: a row that changed
without an :class:`~statemachine.history.Observed` has not changed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from statemachine import history
from statemachine.history import Event
from statemachine.legality import Cell, Question, ruling
from statemachine.lifecycle import ACQUISITIONS, FINISHES, Answer, JobRow, Lifecycle, Operation


class Holder(NamedTuple):
    """The attempt that owns a job, from its committed acquisition; the lease is counted from there."""

    attempt: int
    actor: str
    acquired_at: float
    expires_at: float


@dataclass(slots=True)
class CallFacts:
    """An operation from its invocation on.

    ``cells`` are the table's rulings in every committed state between invocation and answer;
    ``wrote`` is the ruling in the state that the call's own commit found, None while it wrote nothing.
    """

    invoked: history.Invoked
    question: Question
    cells: list[Cell]
    holder: Holder | None
    wrote: Cell | None = None
    committed: bool = False
    faults: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


class Change(NamedTuple):
    """A job's row before and after one commit; ``holder`` owned it before, ``call`` committed it."""

    job: str
    before: JobRow | None
    after: JobRow | None
    call: CallFacts
    holder: Holder | None
    at: float


@dataclass(slots=True)
class MessageFacts:
    """A message: whose it is, and where it lies (``queue``, ``dlq``, ``deleted`` or ``redriven``)."""

    name: str
    job: str
    tenant: str
    forged: bool
    visible_at: float
    place: str = "queue"
    receipt: str | None = None
    receive_count: int = 0


class Delivery(NamedTuple):
    """What one worker received last; ``attempt`` is the token that its prepare was answered with."""

    message: str
    job: str
    tenant: str
    attempt: int | None = None


class Owed(NamedTuple):
    """What the drain found of a job when it began, to compare its end with."""

    ended: bool
    living_holder: bool
    acquisitions: int


class Ledger:
    """The state of one history so far.  :meth:`apply` takes the next event; the rest is read-only."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.now: float = 0
        self.step = 0
        self.draining = False
        self.rows: dict[str, JobRow] = {}
        self.holders: dict[str, Holder] = {}
        self.acquisitions: Counter[str] = Counter()
        self.terminal_commits: Counter[str] = Counter()
        self.messages: dict[str, MessageFacts] = {}
        self._messages_by_job: dict[str, list[MessageFacts]] = {}
        self.calls: dict[int, CallFacts] = {}
        self.open_calls: dict[int, CallFacts] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.unpublished: set[str] = set()
        self.owed: dict[str, Owed] = {}
        self.changes: list[Change] = []
        self._folds: dict[type[Event], Callable[[Any], None]] = {
            history.StepBegan: self._step_began,
            history.ClockMoved: self._clock_moved,
            history.Invoked: self._invoked,
            history.FaultStruck: self._fault_struck,
            history.Committed: self._committed,
            history.Observed: self._observed,
            history.Returned: self._returned,
            history.Raised: self._ended,
            history.Unknown: self._ended,
            history.Killed: self._killed,
            history.PublicationQueued: lambda event: self.unpublished.add(event.job),
            history.PublicationLost: lambda event: self.unpublished.discard(event.job),
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
        self.now = event.at
        fold = self._folds.get(type(event))
        if fold is not None:
            fold(event)

    # -- what the readers ask ---------------------------------------------------------------

    def is_terminal(self, job: str) -> bool:
        row = self.rows.get(job)
        return row is not None and row.status in self.lifecycle.terminal

    def lease_is_live(self, job: str) -> bool:
        """Whether an attempt owns ``job`` now, by the ledger's own count of its lease."""
        holder = self.holders.get(job)
        return holder is not None and self.now < holder.expires_at

    def is_about(self, message: MessageFacts) -> JobRow | None:
        """The row that a message is about: the one with that id *and* that tenant, else None."""
        row = self.rows.get(message.job)
        return row if row is not None and row.tenant == message.tenant else None

    def messages_of(self, job: str) -> list[MessageFacts]:
        """The messages, in the queue or in its DLQ, that can still bring ``job`` to a worker."""
        row = self.rows.get(job)
        return [
            message
            for message in self._messages_by_job.get(job, ())
            if row is not None and message.tenant == row.tenant and message.place in ("queue", "dlq")
        ]

    def has_living_holder(self, job: str) -> bool:
        """Whether a living worker believes, rightly, that its attempt owns ``job``."""
        holder = self.holders.get(job)
        return holder is not None and any(
            delivery.job == job and delivery.attempt == holder.attempt
            for delivery in self.deliveries.values()
        )

    # -- the folds --------------------------------------------------------------------------

    def _step_began(self, event: history.StepBegan) -> None:
        self.step = event.step

    def _clock_moved(self, event: history.ClockMoved) -> None:
        for call in self.open_calls.values():
            self._reconsider(call, self.rows.get(call.invoked.job))

    def _reconsider(self, call: CallFacts, row: JobRow | None) -> None:
        call.question = call.question._replace(row=row, now=self.now)
        call.cells.append(ruling(call.question))

    def _invoked(self, event: history.Invoked) -> None:
        question = Question(
            self.lifecycle,
            event.operation,
            self.rows.get(event.job),
            event.job,
            event.tenant,
            event.at,
            event.attempt,
            event.payload,
        )
        facts = CallFacts(event, question, [ruling(question)], self.holders.get(event.job))
        self.calls[event.call] = self.open_calls[event.call] = facts

    def _fault_struck(self, event: history.FaultStruck) -> None:
        self.calls[event.call].faults.append(event.fault)

    def _committed(self, event: history.Committed) -> None:
        self.calls[event.call].committed = True

    def _observed(self, event: history.Observed) -> None:
        call = self.calls[event.call]
        self.changes = [self._change(row.job, row, call) for row in event.rows]
        self.changes += [self._change(job, None, call) for job in event.gone]
        call.changes += self.changes

    def _change(self, job: str, after: JobRow | None, call: CallFacts) -> Change:
        before = self.rows.get(job)
        change = Change(job, before, after, call, self.holders.get(job), self.now)
        if job == call.invoked.job:
            if before is not call.question.row:
                self._reconsider(call, before)
            call.wrote = call.cells[-1]
        if after is None:
            self.rows.pop(job, None)
        else:
            self.rows[job] = after
        self._follow_holder(change)
        terminal = self.lifecycle.terminal
        if after is not None and after.status in terminal and not (before and before.status == after.status):
            self.terminal_commits[job] += 1
        for other in self.open_calls.values():
            if other is not call and other.invoked.job == job:
                self._reconsider(other, after)
        return change

    def _follow_holder(self, change: Change) -> None:
        after, invoked = change.after, change.call.invoked
        if after is None or after.status != self.lifecycle.running:
            self.holders.pop(change.job, None)
        elif invoked.operation in ACQUISITIONS:
            self.acquisitions[change.job] += 1
            self.holders[change.job] = Holder(
                after.attempt, invoked.actor, self.now, self.now + self.lifecycle.lease_seconds
            )

    def _returned(self, event: history.Returned) -> None:
        invoked = self.calls[event.call].invoked
        delivery = self.deliveries.get(invoked.actor)
        if delivery is not None:
            if invoked.operation is Operation.PREPARE and event.answer is Answer.ACCEPTED:
                self.deliveries[invoked.actor] = delivery._replace(attempt=event.attempt)
            elif invoked.operation in FINISHES:
                self.deliveries[invoked.actor] = delivery._replace(attempt=None)
        if invoked.operation is Operation.PUBLISH:
            self.unpublished.discard(invoked.job)
        self._ended(event)

    def _ended(self, event: history.Returned | history.Raised | history.Unknown) -> None:
        self.open_calls.pop(event.call, None)

    def _killed(self, event: history.Killed) -> None:
        self.deliveries.pop(event.worker, None)

    def _sent(self, event: history.Sent) -> None:
        self._add(MessageFacts(event.message, event.job, event.tenant, event.forged, event.at))

    def _add(self, message: MessageFacts) -> None:
        self.messages[message.name] = message
        self._messages_by_job.setdefault(message.job, []).append(message)

    def _delivered(self, event: history.Delivered) -> None:
        message = self.messages[event.message]
        message.visible_at = event.visible_at
        message.receipt = event.receipt
        message.receive_count = event.receive_count
        self.deliveries[event.worker] = Delivery(message.name, message.job, message.tenant)

    def _delete_requested(self, event: history.DeleteRequested) -> None:
        if event.effective:
            self.messages[event.message].place = "deleted"

    def _visibility_changed(self, event: history.VisibilityChanged) -> None:
        if event.effective:
            self.messages[event.message].visible_at = event.visible_at

    def _dead_lettered(self, event: history.DeadLettered) -> None:
        self.messages[event.message].place = "dlq"

    def _redriven(self, event: history.Redriven) -> None:
        old = self.messages[event.message]
        old.place = "redriven"
        self._add(MessageFacts(event.renewed, old.job, old.tenant, old.forged, event.at))

    def _came_back(self, event: history.MessageCameBack) -> None:
        message = self.messages[event.message]
        message.place = "queue"
        message.visible_at = event.at

    def _drain_began(self, event: history.DrainBegan) -> None:
        self.draining = True
        self.owed = {
            job: Owed(self.is_terminal(job), self.has_living_holder(job), self.acquisitions[job])
            for job in self.rows
        }
