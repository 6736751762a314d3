"""One job's lines: held until its calls are answered, then written as events in a possible order.

Of a job that began before the log, the first event is an *assumed* row, never a change, and the claims
judge from there on.  Answers that fit any row give no events at all: to judge them against a guess would
count as judged what was not.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.legality import ANY_WORKER
from statemachine.lifecycle import Answer, JobRow, Operation
from statemachine.logs.calls import Call, Commit, Drop, JobLine, JobState, LineMeaning, Take
from statemachine.logs.lines import LogLine
from statemachine.logs.rules import Rules
from statemachine.logs.search import Tangled, find_order

MOST_HELD = 200
"""Lines of one job that wait for an answer; with more, a missing answer counts as one that never comes.

Without a bound, one lost answer would hold all later lines of its job in memory, and the search is
exponential in what is held.
"""


class CitedEvent(NamedTuple):
    """An event of the history, and the line that is the evidence for it."""

    line: LogLine
    event: Event


_NEW = JobState()
# Shared by all jobs, so replaced and never changed: most jobs have neither for most of their life, and a log
# has 100 000 jobs in a million lines.
_NO_ANSWERS: dict[Call, LogLine] = {}
_NO_ATTEMPTS: dict[str, int] = {}


class JobRecord:
    """What is kept of one job: its held lines while calls are in flight, and little once it has ended."""

    __slots__ = (
        "answers",
        "attempts",
        "begun",
        "created",
        "forgotten",
        "held",
        "hinted",
        "name",
        "state",
        "trail",
        "under_way",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = _NEW
        """Where the order found so far ends."""
        self.held: list[JobLine] = []
        self.answers = _NO_ANSWERS
        """The line of each answer whose call is among the held."""
        self.under_way = 0
        """Calls that may still get an answer."""
        self.created = False
        """Whether a line of its creation came."""
        self.begun = False
        """Whether its first lines show that it began before the log."""
        self.hinted = False
        """Whether the ledger was given a row of it by a refusal only."""
        self.forgotten = False
        """Whether its earlier events no longer count: too much overlapped."""
        self.attempts = _NO_ATTEMPTS
        """Latest attempt by worker, where the lines do not name it."""
        self.trail = array("Q")
        """Its lines: the number of the file in the upper 32 bits, that of the line below.

        Eight bytes a line: a tuple of two would take more than ten times as much.
        """

    def is_quiet(self) -> bool:
        """Whether to look for an order of the held lines: no answer is missing, or too many lines wait."""
        return not self.under_way or len(self.held) >= MOST_HELD

    def waiting(self) -> Iterator[Call]:
        """Yield the calls that may still get an answer, or have taken effect without one."""
        yield from self.state.waiting
        yield from (item.call for item in self.held if item.meaning is LineMeaning.CALL and item.call)


class EventWriter:
    """Turns the held lines of jobs into events, and counts in ``counts`` what it met on the way."""

    def __init__(self, rules: Rules, counts: Counter[str]) -> None:
        self.rules = rules
        self.counts = counts
        self._numbers = count(1)

    def release(self, job: JobRecord, final: bool = False) -> Iterator[CitedEvent]:
        """Yield the events of all held lines of ``job``, if their order is certain, or ``final``.

        Two calls can explain the same answer; then the lines wait for one that decides between them, up to
        :data:`MOST_HELD`.
        """
        if not job.held:
            return
        try:
            found = find_order(self.rules, job.held, job.state)
        except Tangled:
            yield from self._give_up(job)
            return
        if found.doubtful and not final and len(job.held) < MOST_HELD:
            return
        job.held = []
        for move in found.moves:
            if isinstance(move, Take):
                yield from self._take(job, move)
            elif isinstance(move, Commit):
                yield from self._commit(job, move)
            else:
                yield from self._drop(move)
        job.state = found.state
        self.counts["unexplained"] += found.unexplained
        job.answers = {call: line for call, line in job.answers.items() if call.under_way} or _NO_ANSWERS

    def _give_up(self, job: JobRecord) -> Iterator[CitedEvent]:
        """Write nothing of the held lines, and begin the job anew with what follows: too much overlaps."""
        self.counts["tangled"] += 1
        calls = [*job.waiting()]
        job.held = []
        job.state = _NEW._replace(waiting=tuple(c for c in calls if c.under_way))
        job.forgotten = True
        for call in calls:
            yield from self._unknown(call, call.called_at)
            # A call that is still in flight is invoked again, in the job's new beginning.
            call.number = 0

    def close(self, job: JobRecord) -> Iterator[CitedEvent]:
        """Yield what is left of ``job`` at the end of the log: what has no answer gets none."""
        yield from self.release(job, final=True)
        for call in job.state.waiting:
            yield from self._unknown(call, call.line.at)
        job.state = job.state._replace(waiting=(), written=frozenset(), explained=frozenset())

    # -- moves ------------------------------------------------------------------------------

    def _commit(self, job: JobRecord, move: Commit) -> Iterator[CitedEvent]:
        call, effect = move.call, move.effect
        line = job.answers.get(call, call.line)
        if effect.assumed is not None and not move.state.unseen:
            # Only the attempt was unknown, and this call tells it.
            yield CitedEvent(line, history.Assumed(effect.at, effect.assumed))
        elif effect.assumed is not None:
            yield from self._assume(job, effect.assumed, line)
            for waiting in move.state.waiting:
                yield from self._invoke(waiting)
        yield from self._invoke(call)
        row = effect.row
        observed = row if effect.leased else row._replace(lease_expires_at=None)
        yield CitedEvent(line, history.Committed(effect.at, call.number))
        yield CitedEvent(line, history.Observed(effect.at, call.number, (observed,)))
        if not effect.leased:
            # No line names the end of this lease: assumed, it counts from here on, and is not judged.
            yield CitedEvent(line, history.Assumed(effect.at, row))
        if call.acquires:
            call.written_attempt = row.attempt
        if call.acquires and call.logged_attempt is None:
            job.attempts = {**job.attempts, call.worker: row.attempt}
        if call.answer is None and call.ended_at is not None:
            self.counts["effects without an answer"] += 1
            yield from self._unknown(call, call.ended_at)

    def _assume(self, job: JobRecord, row: JobRow, line: LogLine) -> Iterator[CitedEvent]:
        job.begun = row.attempt > 0 or row.status != self.rules.lifecycle.pending
        yield self._placed(job, row, line)

    def _placed(self, job: JobRecord, row: JobRow, line: LogLine) -> CitedEvent:
        anew, job.forgotten, job.hinted = job.forgotten, False, True
        return CitedEvent(line, history.Assumed(line.at, row, anew))

    def _invoke(self, call: Call) -> Iterator[CitedEvent]:
        if call.number:
            return
        call.number = next(self._numbers)
        yield CitedEvent(
            call.line,
            history.Invoked(
                call.called_at,
                call.number,
                call.operation,
                call.worker,
                call.job,
                call.tenant,
                call.attempt,
                call.payload,
                call.message,
            ),
        )

    def _drop(self, move: Drop) -> Iterator[CitedEvent]:
        yield from self._unknown(move.call, move.call.ended_at or move.call.called_at)

    def _unknown(self, call: Call, at: float) -> Iterator[CitedEvent]:
        if call.number:
            yield CitedEvent(call.line, history.Unknown(at, call.number, call.why or "the log ends"))

    def _take(self, job: JobRecord, move: Take) -> Iterator[CitedEvent]:
        item = move.item
        match item.meaning:
            case LineMeaning.CALL if item.call is not None:
                # Of an unknown row nothing can be judged: the call is invoked once a row is assumed.
                if not move.state.unseen:
                    yield from self._invoke(item.call)
            case LineMeaning.ANSWER if item.call is not None:
                yield from self._answer(job, item.call, move)
            case LineMeaning.ROW if item.row is not None:
                yield from self._row(job, item, item.row, move.state)
            case _:
                yield from self._events(job, item, move.state)

    def _answer(self, job: JobRecord, call: Call, move: Take) -> Iterator[CitedEvent]:
        line, at = move.item.line, call.answered_at
        if move.refused_by is not None:
            # As of the call: by the time of its answer this lease may have ended.
            yield CitedEvent(line, history.Assumed(call.called_at, move.refused_by))
        if move.vague:
            self.counts["answers that fit any row"] += 1
            if move.state.unseen:
                yield from self._hint(job, call, line)
            yield from self._unknown(call, at)
            return
        yield from self._invoke(call)
        if call.answer is not None:
            attempt = call.logged_attempt if call.logged_attempt is not None else call.written_attempt
            yield CitedEvent(line, history.Returned(at, call.number, call.answer, attempt))

    def _hint(self, job: JobRecord, call: Call, line: LogLine) -> Iterator[CitedEvent]:
        """Place the row that a refusal gives away, of a job otherwise unknown, to judge later lines by."""
        lifecycle = self.rules.lifecycle
        if call.reason == "ended":
            yield self._placed(job, JobRow(job.name, call.tenant, lifecycle.done, results=1), line)
        elif call.reason == "lease live":
            until = self.rules.expiry(line.at)
            yield self._placed(
                job, JobRow(job.name, call.tenant, lifecycle.running, 0, ANY_WORKER, until), line
            )
        elif call.reason == "no such job":
            job.hinted = True

    def _row(self, job: JobRecord, item: JobLine, row: JobRow, state: JobState) -> Iterator[CitedEvent]:
        if not item.created:
            if state.unseen:
                yield self._placed(job, row, item.line)
            else:
                if state.row is not None and not state.attempt_told:
                    known = state.row._replace(attempt=row.attempt)
                    yield CitedEvent(item.line, history.Assumed(item.line.at, known))
                yield CitedEvent(item.line, history.RowRead(item.line.at, row))
            for waiting in state.waiting:
                yield from self._invoke(waiting)
            return
        if state.exists and not (job.created or job.begun):
            job.created = True
            return
        job.created = True
        number, at, line = next(self._numbers), item.line.at, item.line
        yield CitedEvent(
            line, history.Invoked(at, number, Operation.CREATE, line.worker, row.job, row.tenant)
        )
        if not state.exists:
            yield CitedEvent(line, history.Committed(at, number))
            yield CitedEvent(line, history.Observed(at, number, (row,)))
        yield CitedEvent(line, history.Returned(at, number, Answer.ACCEPTED))
        for waiting in state.waiting:
            yield from self._invoke(waiting)

    def _events(self, job: JobRecord, item: JobLine, state: JobState) -> Iterator[CitedEvent]:
        for event in item.events:
            if isinstance(event, history.DeleteRequested) and state.unseen and not job.hinted:
                # Nothing is known of the job: whether the message may go cannot be judged.
                self.counts["deletions of unseen jobs"] += 1
                gone = history.MessagePlaced(event.at, event.message, job.name, "", "deleted")
                yield CitedEvent(item.line, gone)
            else:
                yield CitedEvent(item.line, event)
