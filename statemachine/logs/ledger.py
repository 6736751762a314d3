"""A ledger for long logs: it forgets what no claim will ask for again.

Of a job its row, its holder and its counts stay; calls are forgotten when they have ended, messages when
they are deleted.  It also takes what only logs have: rows and messages from before the first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import CallFacts, Holder, Ledger, MessageFacts, Owed
from statemachine.history.legality import Ruled, ruling
from statemachine.lifecycle import JobRow, Lifecycle

UNNAMED_WORKER = "(before the log)"


class LogLedger(Ledger):
    """Like :class:`Ledger`, for one log: its memory grows with the jobs, not with the lines.

    A log of 1,000,000 lines and 107,411 jobs peaks at 225 MB (``benchmarks/check_log.py``).
    """

    def __init__(self, lifecycle: Lifecycle) -> None:
        super().__init__(lifecycle)
        self._only_assumed: set[str] = set()
        self._ended_calls: list[int] = []
        self._gone_messages: list[str] = []
        self._drained_from = -inf
        self._latest_of: dict[str, float] = {}
        self._folds |= {
            history.Assumed: self._assumed,
            history.MessagePlaced: self._message_placed,
        }

    def apply(self, event: Event) -> None:
        # The claims have judged the event before by now, and needed its call for that.
        if self._ended_calls:
            for call in self._ended_calls:
                self.calls.pop(call, None)
            self._ended_calls.clear()
        if self._gone_messages:
            self._forget_messages()
        super().apply(event)

    def has_living_holder(self, job: str) -> bool:
        """Whether the holder is alive; it may not have its answer yet, so its delivery counts as well."""
        holder = self.holders.get(job)
        if holder is None or holder.call not in self.open_calls:
            return super().has_living_holder(job)
        delivery = self.deliveries.get(holder.actor)
        return delivery is not None and delivery.job == job

    def _ended(self, event: history.Returned | history.Raised | history.Unknown) -> None:
        super()._ended(event)
        self._ended_calls.append(event.call)

    def _observed(self, event: history.Observed) -> None:
        for row in event.rows:
            self._only_assumed.discard(row.job)
            before = self.rows.get(row.job)
            if before is not None and before.status == row.status and self.is_terminal(row.job):
                # A log shows a row only where a call has written: this one ended the job again.
                self.terminal_commits[row.job] += 1
        super()._observed(event)
        for row in event.rows:
            if event.at < self._drained_from:
                # A commit from before the drain that comes late; no line says who held the job then.
                self.owed[row.job] = Owed(self.is_terminal(row.job), True, self.acquisitions[row.job])

    def _drain_began(self, event: history.DrainBegan) -> None:
        super()._drain_began(event)
        self._drained_from = event.at

    # A job's events may come late, when its worker has long been busy with another job or is gone.

    def _delivered(self, event: history.Delivered) -> None:
        now = self.deliveries.get(event.worker)
        super()._delivered(event)
        if self._is_late(event.worker, event.at):
            self.deliveries.pop(event.worker, None)
            if now is not None:
                self.deliveries[event.worker] = now

    def _killed(self, event: history.Killed) -> None:
        if not self._is_late(event.worker, event.at):
            super()._killed(event)

    def _is_late(self, worker: str, at: float) -> bool:
        """Whether a later event of ``worker`` has come already."""
        if at < self._latest_of.get(worker, -inf):
            return True
        self._latest_of[worker] = at
        return False

    def _put(self, name: str, place: str) -> None:
        super()._put(name, place)
        if place in ("deleted", "redriven"):
            self._gone_messages.append(name)

    def _redriven(self, event: history.Redriven) -> None:
        super()._redriven(event)
        self._gone_messages.append(event.message)

    def _forget_messages(self) -> None:
        for name in self._gone_messages:
            message = self.messages.pop(name, None)
            if message is None:
                continue
            left = [other for other in self._messages_by_job[message.job] if other is not message]
            if left:
                self._messages_by_job[message.job] = left
            else:
                del self._messages_by_job[message.job]
        self._gone_messages.clear()

    # -- what was there before the log begins -----------------------------------------------

    def _assumed(self, event: history.Assumed) -> None:
        """Take a row that no commit of the log made: it was so before the calls in flight began.

        Of a job that is known already, only the end of its lease is new, or its attempt.
        """
        row = event.row
        begins = event.anew or row.job not in self.rows or row.job in self._only_assumed
        if begins:
            self._begin(row, event.at)
        elif row.attempt != self.rows[row.job].attempt:
            self._count_anew(row.job, row.attempt - self.rows[row.job].attempt)
        self.rows[row.job] = row
        holder = self.holders.get(row.job)
        if holder is not None and row.lease_expires_at is not None:
            since = round(row.lease_expires_at - self.lifecycle.lease_seconds, 6)
            self.holders[row.job] = holder._replace(leased_at=since, expires_at=row.lease_expires_at)
        for call in self._calls_on(row.job):
            if begins:
                self._found_already(call)
            else:
                self._reconsider(call, row)

    def _begin(self, row: JobRow, at: float) -> None:
        job = row.job
        self._only_assumed.add(job)
        self.created_at.setdefault(job, at)
        self.acquisitions[job] = row.attempt
        self.terminal_commits[job] = int(row.status in self.lifecycle.terminal)
        self.holders.pop(job, None)
        # What the drain noted of it was a guess, and no claim may break on a guess.
        self.owed.pop(job, None)
        if row.status == self.lifecycle.running and row.lease_expires_at is not None:
            since = round(row.lease_expires_at - self.lifecycle.lease_seconds, 6)
            self.holders[job] = Holder(row.attempt, UNNAMED_WORKER, since, row.lease_expires_at, 0)

    def _count_anew(self, job: str, more: int) -> None:
        """Count ``more`` acquisitions from before the log, or fewer: the attempt was a guess until now."""
        self.acquisitions[job] += more
        owed = self.owed.get(job)
        if owed is not None:
            self.owed[job] = owed._replace(acquisitions=owed.acquisitions + more)

    def _calls_on(self, job: str) -> Iterator[CallFacts]:
        return (call for call in self.open_calls.values() if call.invoked.job == job)

    def _found_already(self, call: CallFacts) -> None:
        if call.wrote is not None or call.changes:
            return
        question = call.rulings[0].question._replace(row=self.rows[call.invoked.job])
        call.rulings[:] = [Ruled(question, ruling(question))]
        call.holder = self.holders.get(call.invoked.job)

    def _message_placed(self, event: history.MessagePlaced) -> None:
        if event.message not in self.messages:
            self._add(MessageFacts(event.message, event.job, event.tenant, forged=True))
        self._put(event.message, event.place)
