"""One job's lines, held until its calls are answered, and then told as a history in a possible order.

What is told first of a job whose beginning no line shows is an *assumed* row, never a change: claims
about it are judged from there on.  Answers that fit any row that could have been there are not told
at all, because judging them against a guess would count as judged what was not.
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
from statemachine.logs.search import Tangled, explain

MOST_HELD = 200
"""So many lines of one job wait for an answer; then it is taken for one that may come or not."""


class CitedEvent(NamedTuple):
    """An event of the history, and the line that is the evidence for it."""

    line: LogLine
    event: Event


class JobRecord:
    """What is kept of one job: few words once it has ended."""

    __slots__ = (
        "answers",
        "begun",
        "created",
        "forgotten",
        "hinted",
        "items",
        "name",
        "tokens",
        "trail",
        "under_way",
        "world",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.world = _NEW
        self.items: list[JobLine] = []
        self.answers = _NO_ANSWERS
        self.under_way = 0
        self.created = False
        # Whether its first lines show that it began before the log.
        self.begun = False
        # Whether the ledger was given a row for it although no answer has pinned one.
        self.hinted = False
        # Whether what was told of it counts no more.
        self.forgotten = False
        # Attempts by worker, where the lines do not name them.
        self.tokens = _NO_TOKENS
        self.trail = array("Q")

    def is_quiet(self) -> bool:
        """Whether the lines held can be told: every call has its answer, or will get none."""
        return not self.under_way or len(self.items) >= MOST_HELD

    def waiting(self) -> Iterator[Call]:
        """The calls that may still get an answer, or have taken effect without."""
        yield from self.world.waiting
        yield from (item.call for item in self.items if item.said is LineMeaning.CALL and item.call)


_NEW = JobState()
# Replaced, never changed: most jobs have none of either for most of their life.
_NO_ANSWERS: dict[Call, LogLine] = {}
_NO_TOKENS: dict[str, int] = {}


class EventWriter:
    """Turns the held lines of jobs into events.  ``counts`` is what it met on the way."""

    def __init__(self, rules: Rules, counts: Counter[str]) -> None:
        self.rules = rules
        self.counts = counts
        self._numbers = count(1)

    def tell(self, job: JobRecord, at_last: bool = False) -> Iterator[CitedEvent]:
        """The events of all held lines of ``job``, if what they say is certain, or ``at_last``.

        Two calls without an answer can explain the same refusal; then the lines go on waiting for one that
        decides between them.
        """
        if not job.items:
            return
        try:
            found = explain(self.rules, job.items, job.world)
        except Tangled:
            yield from self._give_up(job)
            return
        if found.doubtful and not at_last and len(job.items) < MOST_HELD:
            return
        job.items = []
        for move in found.moves:
            if isinstance(move, Take):
                yield from self._take(job, move)
            elif isinstance(move, Commit):
                yield from self._commit(job, move)
            else:
                yield from self._drop(move)
        job.world = found.world
        self.counts["unexplained"] += found.unexplained
        job.answers = {call: line for call, line in job.answers.items() if call.under_way} or _NO_ANSWERS

    def _give_up(self, job: JobRecord) -> Iterator[CitedEvent]:
        """Too much overlaps: nothing is said of what was held, and the job begins anew with what follows."""
        self.counts["tangled"] += 1
        calls = [*job.waiting()]
        job.items, job.world, job.forgotten = (
            [],
            _NEW._replace(waiting=tuple(c for c in calls if c.under_way)),
            True,
        )
        for call in calls:
            yield from self._unknown(call, call.called_at)
            call.number = 0

    def close(self, job: JobRecord) -> Iterator[CitedEvent]:
        """The log is over: what is without an answer stays so."""
        yield from self.tell(job, at_last=True)
        for call in job.world.waiting:
            yield from self._unknown(call, call.line.at)
        job.world = job.world._replace(waiting=(), written=frozenset(), heard=frozenset())

    # -- moves ------------------------------------------------------------------------------

    def _commit(self, job: JobRecord, move: Commit) -> Iterator[CitedEvent]:
        call, outcome = move.call, move.outcome
        line = job.answers.get(call, call.line)
        if outcome.assumed is not None:
            yield from self._assume(job, outcome.assumed, line)
            for waiting in move.waiting:
                yield from self._invoke(waiting)
        yield from self._invoke(call)
        row = outcome.row
        told = row if outcome.leased else row._replace(lease_expires_at=None)
        yield CitedEvent(line, history.Committed(outcome.at, call.number))
        yield CitedEvent(line, history.Observed(outcome.at, call.number, (told,)))
        if not outcome.leased:
            # Nobody has said when this lease ends: it is known from here on, and not judged.
            yield CitedEvent(line, history.Assumed(outcome.at, row))
        if call.acquires:
            call.given = row.attempt
        if call.acquires and call.told is None:
            job.tokens = {**job.tokens, call.worker: row.attempt}
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
        match item.said:
            case LineMeaning.CALL if item.call is not None:
                if not move.world.unseen:
                    yield from self._invoke(item.call)
            case LineMeaning.ANSWER if item.call is not None:
                yield from self._answer(job, item.call, move)
            case LineMeaning.ROW if item.row is not None:
                yield from self._row(job, item, item.row, move.world)
            case _:
                yield from self._events(job, item, move.world)

    def _answer(self, job: JobRecord, call: Call, move: Take) -> Iterator[CitedEvent]:
        line, at = move.item.line, call.answered_at
        if move.refused_by is not None:
            # As of the call: by the time of its answer this lease may have ended.
            yield CitedEvent(line, history.Assumed(call.called_at, move.refused_by))
        if move.vague:
            self.counts["answers that fit any row"] += 1
            if move.world.unseen:
                yield from self._hint(job, call, line)
            yield from self._unknown(call, at)
            return
        yield from self._invoke(call)
        if call.answer is not None:
            attempt = call.told if call.told is not None else call.given
            yield CitedEvent(line, history.Returned(at, call.number, call.answer, attempt))

    def _hint(self, job: JobRecord, call: Call, line: LogLine) -> Iterator[CitedEvent]:
        """What a refusal says of a row that is otherwise unknown: enough to judge what follows from it."""
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

    def _row(self, job: JobRecord, item: JobLine, row: JobRow, world: JobState) -> Iterator[CitedEvent]:
        if not item.created:
            if world.unseen:
                yield self._placed(job, row, item.line)
            else:
                yield CitedEvent(item.line, history.RowRead(item.line.at, row))
            for waiting in world.waiting:
                yield from self._invoke(waiting)
            return
        if not world.unseen and world.row is not None and not (job.created or job.begun):
            job.created = True  # its first lines came before the one that tells of its creation
            return
        job.created = True
        number, at, line = next(self._numbers), item.line.at, item.line
        yield CitedEvent(
            line, history.Invoked(at, number, Operation.CREATE, line.worker, row.job, row.tenant)
        )
        if world.unseen or world.row is None:
            yield CitedEvent(line, history.Committed(at, number))
            yield CitedEvent(line, history.Observed(at, number, (row,)))
        yield CitedEvent(line, history.Returned(at, number, Answer.ACCEPTED))
        for waiting in world.waiting:
            yield from self._invoke(waiting)

    def _events(self, job: JobRecord, item: JobLine, world: JobState) -> Iterator[CitedEvent]:
        for event in item.events:
            if isinstance(event, history.DeleteRequested) and world.unseen and not job.hinted:
                # Nothing has been told of the job: whether the message may go cannot be judged.
                self.counts["deletions of unseen jobs"] += 1
                yield CitedEvent(
                    item.line, history.MessagePlaced(event.at, event.message, job.name, "", "deleted")
                )
            else:
                yield CitedEvent(item.line, event)
