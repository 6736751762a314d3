"""One fold of events into what is known: rows, holders, calls, messages.

Operations ask it what is possible, invariants what was true, reach which situation a call met.
It keeps its *own* record of who holds a lease, because ``locked_by`` cannot be trusted: a fleet may
share one worker id.  It judges nothing, and it knows only what the events say: a row that changed
without an :class:`~statemachine.history.events.Observed` has not changed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.facts import CallFacts, Change, Delivery, Holder, MessageFacts, Owed
from statemachine.history.legality import Question, Ruled, ruling, ruling_on
from statemachine.lifecycle import ACQUISITIONS, FINISHES, Answer, JobRow, Lifecycle, Operation

_UNDOING = ("error_before_commit", "error_before_statement", "deadlock", "serialization_failure")
"""Faults that roll back the transaction in which they strike, and leave their caller alive."""


class Ledger:
    """The state of one history so far.  :meth:`apply` takes the next event; the rest is read-only."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.now: float = 0
        self.step = 0
        self.draining = False
        self.rows: dict[str, JobRow] = {}
        self.created_at: dict[str, float] = {}
        self.skews: dict[str, float] = {}
        self.holders: dict[str, Holder] = {}
        self.acquisitions: Counter[str] = Counter()
        self.terminal_commits: Counter[str] = Counter()
        self.messages: dict[str, MessageFacts] = {}
        self._messages_by_job: dict[str, list[MessageFacts]] = {}
        self.calls: dict[int, CallFacts] = {}
        self.open_calls: dict[int, CallFacts] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.owed: dict[str, Owed] = {}
        self.changes: list[Change] = []
        self.others: str | None = None
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

    def by_the_clock_of(self, actor: str) -> float:
        """The second that ``actor`` reads on its own clock now."""
        return self.now + self.skews.get(actor, 0)

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
        """Whether a living worker can finish ``job``: its attempt owns it, or finishes show no token."""
        holder, fenced = self.holders.get(job), self.lifecycle.fenced
        if holder is None:
            return False
        attempts = {delivery.attempt for delivery in self.deliveries.values() if delivery.job == job} - {None}
        return holder.attempt in attempts if fenced else bool(attempts)

    def rules_for(self, call: CallFacts, row: JobRow, now: float) -> Ruled:
        """What ``call``, which names no job, owes to the job in ``row`` at second ``now``."""
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
        # To the microsecond, as a database stores it: an edge must not depend on how floats add up.
        holder, expires_at = self.holders.get(job), round(now + self.lifecycle.lease_seconds, 6)
        if after is None or after.status != self.lifecycle.running:
            self.holders.pop(job, None)
        elif invoked.operation in ACQUISITIONS:
            self.acquisitions[job] += 1
            self.holders[job] = Holder(after.attempt, invoked.actor, now, expires_at, invoked.call)
        elif (
            invoked.operation is Operation.RENEW
            and holder
            and (holder.attempt == invoked.attempt or not self.lifecycle.fenced)
        ):
            self.holders[job] = holder._replace(leased_at=now, expires_at=expires_at)

    def _returned(self, event: history.Returned) -> None:
        call = self.calls[event.call]
        invoked = call.invoked
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

    # A log may begin in the middle: messages that were never seen to be sent are passed over.

    def _delivered(self, event: history.Delivered) -> None:
        message = self.messages.get(event.message)
        if message is not None:
            message.receipt, message.visible_at = event.receipt, event.visible_at
            self.deliveries[event.worker] = Delivery(message.name, message.job, message.tenant)

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
            old.place = "redriven"
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
