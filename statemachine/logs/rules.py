"""What an answer says of the row: whether the legality table gives it there, and what it leaves behind.

The table is asked for the moment at which the caller read its clock.  For an acquisition the logged
lease tells that moment, to the microsecond; of other calls only call and answer are known, and the
moment that suits the answer best is taken: whoever judges later must not break a claim on a guess.
"""

from __future__ import annotations

from math import inf

from statemachine.history.legality import (
    ANY_WORKER,
    LEASE_EXPIRED,
    LEASE_LIVE,
    NO_SUCH_JOB,
    TERMINAL,
    Question,
    ruling,
)
from statemachine.lifecycle import Answer, JobRow, Lifecycle, Operation
from statemachine.logs.calls import Call, CallEffect, JobState

REASONS = {"ended": {TERMINAL}, "lease live": {LEASE_LIVE}, "no such job": {NO_SUCH_JOB}}
"""The situations that a refused prepare's ``reason`` stands for; one that is not listed says nothing."""

MICROSECOND = 1e-6


class Rules:
    """The legality table of one lifecycle, asked about lines."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle

    def expiry(self, at: float) -> float:
        """The end of a lease taken at ``at``."""
        return round(at + self.lifecycle.lease_seconds, 6)

    # -- writes -----------------------------------------------------------------------------

    def write(self, call: Call, state: JobState) -> CallEffect | None:
        """What ``call`` leaves behind if it commits in ``state``; None where its answer does not fit.

        A call without an answer fits wherever the table would have accepted it, before it ended.
        """
        nameless = call.operation is Operation.CLOSE and call.payload is None
        if call.answer is Answer.REFUSED or nameless:
            return None
        assumed = None
        if state.unseen:
            if call.answer is None or (state.ended and call.answer is Answer.ACCEPTED):
                return None
            assumed = self.assumed_for(call)
        row = assumed if assumed is not None else state.row
        at = self._moment(call, row)
        if at > call.until or row is None:
            return None
        question = self._question(call, row, at)
        cell = ruling(question)
        effect = cell.effect(question)
        accepted = cell.answer_under(self.lifecycle) is Answer.ACCEPTED
        if not accepted or effect is None or effect == row:
            return None
        if call.acquires:
            return self._acquired(call, effect, at, assumed)
        if call.status is not None and call.answer is not None and call.status != effect.status:
            return None
        return CallEffect(effect, at, assumed)

    def _acquired(self, call: Call, effect: JobRow, at: float, assumed: JobRow | None) -> CallEffect | None:
        if call.logged_attempt is not None and call.logged_attempt != effect.attempt:
            return None
        row = effect._replace(locked_by=call.worker, lease_expires_at=self._stored_lease(call, at))
        known = call.expires_at is not None
        return CallEffect(row, at, assumed, 0 if known else self._slack(call, at), known)

    def _slack(self, call: Call, at: float) -> float:
        return max(0, round(call.until - at, 6)) if call.until < inf else inf

    def _stored_lease(self, call: Call, at: float) -> float:
        return call.expires_at if call.expires_at is not None else self.expiry(at)

    def _moment(self, call: Call, row: JobRow | None) -> float:
        """When ``call`` read its clock: for an acquisition its lease says so, to the microsecond."""
        if call.acquires and call.expires_at is not None:
            at = round(call.expires_at - self.lifecycle.lease_seconds, 6)
            return at if call.called_at <= at <= call.until else call.answered_at
        if call.acquires and row is not None and row.lease_expires_at is not None:
            return max(call.called_at, row.lease_expires_at)
        return call.called_at

    def _question(self, call: Call, row: JobRow | None, at: float) -> Question:
        return Question(
            self.lifecycle, call.operation, row, call.job, call.tenant, at, call.attempt, call.payload
        )

    def forced(self, call: Call, state: JobState) -> CallEffect:
        """What an accepted ``call`` says of the row, whatever the table thinks of it."""
        assumed = self.assumed_for(call, ended=state.ended) if state.unseen else None
        base = assumed or state.row or JobRow(call.job, call.tenant, self.lifecycle.pending)
        at = self._moment(call, None) if call.acquires else call.answered_at
        if call.acquires:
            row = base._replace(
                status=self.lifecycle.running,
                attempt=call.logged_attempt if call.logged_attempt is not None else base.attempt + 1,
                locked_by=call.worker,
                lease_expires_at=self._stored_lease(call, at),
                results=0,
            )
            return CallEffect(row, at, assumed, leased=call.expires_at is not None)
        completes = call.operation is Operation.COMPLETE
        row = base._replace(
            status=call.status or self.lifecycle.finished_status(call.operation, call.payload),
            locked_by=None,
            lease_expires_at=None,
            results=1 if completes else 0,
            result=call.payload if completes else None,
        )
        return CallEffect(row, at, assumed)

    # -- reads ------------------------------------------------------------------------------

    def reads(self, call: Call, state: JobState) -> bool:
        """Whether the answer of ``call`` is right in ``state`` although nothing is written."""
        if call.answer is None or state.unseen:
            return False
        if call.recorded:
            return False  # gate report §2.3: a second record of a completion must not be there
        return any(self._reads_at(call, state, at) for at in {call.called_at, call.answered_at})

    def _reads_at(self, call: Call, state: JobState, at: float) -> bool:
        question = self._question(call, state.row, at)
        cell = ruling(question)
        if cell.answer_under(self.lifecycle) is not call.answer or cell.effect(question) != state.row:
            return False
        if call.answer is Answer.ACCEPTED:
            # The table takes the row's word for who finished it; after a broken claim that may be false.
            attempt = call.attempt if self.lifecycle.fenced else None
            return state.finisher in (None, (call.operation, attempt))
        return not call.acquires or cell.situation in REASONS.get(call.reason or "", {cell.situation})

    def lease_that_refuses(self, call: Call, state: JobState) -> JobRow | None:
        """The row with the end of its lease put off, where that explains why ``call`` was refused."""
        row = state.row
        if not state.slack or not call.acquires or call.answer is not Answer.REFUSED or row is None:
            return None
        if row.lease_expires_at is None or call.reason not in (None, "lease live"):
            return None
        if ruling(self._question(call, row, call.called_at)).situation != LEASE_EXPIRED:
            return None
        put_off = round(call.called_at + MICROSECOND, 6)
        if put_off - row.lease_expires_at > state.slack:
            return None
        return row._replace(lease_expires_at=put_off)

    # -- what was there before the log begins -----------------------------------------------

    def assumed_for(self, call: Call, ended: bool = False) -> JobRow:
        """The row that an accepted ``call`` must have found, of a job of which nothing was told before.

        ``ended``: somebody was told that the job is terminal, which no later answer can undo.
        """
        lifecycle = self.lifecycle
        attempt = (call.logged_attempt or 1) - 1 if call.acquires else call.attempt or 1
        if ended:
            return JobRow(call.job, call.tenant, lifecycle.done, attempt, results=1)
        if not call.acquires:
            live = self.expiry(call.answered_at)
            return JobRow(call.job, call.tenant, lifecycle.running, attempt, ANY_WORKER, live)
        if attempt == 0:
            return JobRow(call.job, call.tenant, lifecycle.pending)
        if lifecycle.has(Operation.RELEASE):
            return JobRow(call.job, call.tenant, lifecycle.retrying, attempt)
        at = self._moment(call, None)
        return JobRow(call.job, call.tenant, lifecycle.running, attempt, ANY_WORKER, at)
