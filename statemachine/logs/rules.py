"""Ask the legality table about a logged answer: is it right for this row, and what row does it leave?

The table is asked for the moment at which the caller read its clock.  For an acquisition the logged lease
names that moment, to the microsecond.  Of other calls only the times of call and answer are known, and the
moment that suits the answer best is taken: no claim may break on a guess.
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
"""By the ``reason`` of a refused prepare: the situations that it stands for.

A reason that is not listed says nothing.
"""

MICROSECOND = 1e-6


class Rules:
    """The legality table of one lifecycle, asked about logged calls.  Times are seconds."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle

    def expiry(self, at: float) -> float:
        """Return the end of a lease taken at ``at``."""
        return round(at + self.lifecycle.lease_seconds, 6)

    # -- writes -----------------------------------------------------------------------------

    def write(self, call: Call, state: JobState) -> CallEffect | None:
        """Return what ``call`` does if it commits in ``state``; None where its answer does not fit.

        A call without an answer fits wherever the table would have accepted it, before it ended.
        """
        # A close whose line names no status: what it wrote cannot be known.
        nameless = call.operation is Operation.CLOSE and call.payload is None
        if call.answer is Answer.REFUSED or nameless:
            return None
        assumed = None
        if state.unseen:
            # Nothing is assumed on behalf of a call that may have had no effect.
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
        # Without fencing a finish is accepted whatever attempt it shows.
        guessed = assumed is not None and not call.acquires and not self.lifecycle.fenced
        told = state.attempt_told and not guessed
        if call.acquires:
            if not told and call.logged_attempt is not None:
                assumed = row._replace(attempt=call.logged_attempt - 1)
                effect, told = effect._replace(attempt=call.logged_attempt), True
            acquired = self._acquired(call, effect, at, assumed)
            return acquired and acquired._replace(attempt_told=told)
        if call.status is not None and call.answer is not None and call.status != effect.status:
            return None
        return CallEffect(effect, at, assumed, attempt_told=told)

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
        """Return when ``call`` read its clock: for an acquisition its lease says so, to the microsecond."""
        if call.acquires and call.expires_at is not None:
            at = round(call.expires_at - self.lifecycle.lease_seconds, 6)
            # A lease of another length would put it outside of the call; then the claim on its length breaks.
            return at if call.called_at <= at <= call.until else call.answered_at
        # A takeover without a logged lease: the earliest moment at which it was allowed.
        if call.acquires and row is not None and row.lease_expires_at is not None:
            return max(call.called_at, row.lease_expires_at)
        return call.called_at

    def _question(self, call: Call, row: JobRow | None, at: float) -> Question:
        return Question(
            self.lifecycle, call.operation, row, call.job, call.tenant, at, call.attempt, call.payload
        )

    def forced(self, call: Call, state: JobState) -> CallEffect:
        """Return what an accepted ``call`` says of the row, even where the table forbids it."""
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
        told = state.attempt_told and (self.lifecycle.fenced or assumed is None)
        return CallEffect(row, at, assumed, attempt_told=told)

    # -- reads ------------------------------------------------------------------------------

    def reads(self, call: Call, state: JobState) -> bool:
        """Whether the answer of ``call`` is right in ``state`` although nothing is written."""
        if call.answer is None or state.unseen:
            return False
        if call.recorded:
            # A log that only records completions must have one for each job (gate report §2.3), so a second
            # record is a second completion, not the repeated answer that the table allows.
            return False
        return any(self._reads_at(call, state, at) for at in {call.called_at, call.answered_at})

    def _reads_at(self, call: Call, state: JobState, at: float) -> bool:
        question = self._question(call, state.row, at)
        cell = ruling(question)
        if cell.answer_under(self.lifecycle) is not call.answer or cell.effect(question) != state.row:
            return False
        if call.answer is Answer.ACCEPTED:
            # The table believes the row about who finished it; after a broken claim that may be false.
            attempt = call.attempt if self.lifecycle.fenced else None
            return state.finisher in (None, (call.operation, attempt))
        return not call.acquires or cell.situation in REASONS.get(call.reason or "", {cell.situation})

    def lease_that_refuses(self, call: Call, state: JobState) -> JobRow | None:
        """Return the row with a later end of its lease, where that explains why ``call`` was refused.

        A lease that no line names may have begun at any moment until its answer, or its worker's death:
        ``slack`` is how much later than assumed.  None where that cannot explain the refusal.
        """
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
        """Return the row that an accepted ``call`` must have found, of a job that no line described before.

        ``ended``: an answer has said that the job is terminal, which no later answer can undo.
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
