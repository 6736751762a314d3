"""The decision list: for every operation, the situations in which it can be called, in order.

Each :class:`Cell` says which answer and which effect its situation demands; the first that applies
wins.  The list is both the oracle that judges a run and the source of the situations that a run must
reach.  What it cannot show: anything about the queue (``world/queue.py`` obeys what AWS documents),
or about more than one job at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from statemachine.lifecycle import (
    ACQUISITIONS,
    FINISHES,
    Answer,
    JobRow,
    Lifecycle,
    LifecycleError,
    Operation,
)


class Question(NamedTuple):
    """A call, set beside the row that it finds: what the decision list decides on.

    ``row`` is the job's row or None when there is none; ``attempt`` is the fencing token that a
    finish operation shows; ``payload`` is the result that a completion brings; ``now`` is seconds.
    """

    lifecycle: Lifecycle
    operation: Operation
    row: JobRow | None
    job: str
    tenant: str
    now: float
    attempt: int | None = None
    payload: str | None = None


Effect = Callable[[Question], "JobRow | None"]


def _untouched(q: Question) -> JobRow | None:
    return q.row


def _row(q: Question) -> JobRow:
    if q.row is None:
        raise LifecycleError(
            f"{q.operation} on {q.job}: this effect needs a row; its situation let None pass"
        )
    return q.row


def _created(q: Question) -> JobRow:
    return JobRow(q.job, q.tenant, q.lifecycle.pending)


def _published(q: Question) -> JobRow:
    return _row(q)._replace(published_at=q.now)


def _acquired(q: Question) -> JobRow:
    row = _row(q)
    return row._replace(
        status=q.lifecycle.running,
        attempt=row.attempt + 1,
        locked_by=ANY_WORKER,
        lease_expires_at=q.now + q.lifecycle.lease_seconds,
    )


def _finished(q: Question) -> JobRow:
    completes = q.operation is Operation.COMPLETE
    return _row(q)._replace(
        status=q.lifecycle.finished_status(q.operation),
        locked_by=None,
        lease_expires_at=None,
        results=1 if completes else 0,
        result=q.payload if completes else None,
    )


def _late(q: Question) -> JobRow | None:
    return _finished(q) if q.lifecycle.late_completion is Answer.ACCEPTED else q.row


ANY_WORKER = "(some worker)"
"""Stands in an expected row for whatever the system writes there: a fleet may share one worker id."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the decision list: in this situation, this answer and this effect.

    ``answer`` None means that the lifecycle's ``late_completion`` policy decides.
    """

    situation: str
    applies: Callable[[Question], bool]
    answer: Answer | None
    effect: Effect

    def answer_under(self, lifecycle: Lifecycle) -> Answer:
        return self.answer if self.answer is not None else lifecycle.late_completion


def _absent(q: Question) -> bool:
    return q.row is None or q.row.tenant != q.tenant


def _status(name: str) -> Callable[[Question], bool]:
    return lambda q: _row(q).status == getattr(q.lifecycle, name)


def _terminal(q: Question) -> bool:
    return _row(q).status in q.lifecycle.terminal


def _running(q: Question) -> bool:
    return _row(q).status == q.lifecycle.running


def _expired(q: Question) -> bool:
    expiry = _row(q).lease_expires_at
    return expiry is not None and q.now >= expiry


def _superseded(q: Question) -> bool:
    return q.attempt != _row(q).attempt


def _already_finished_so(q: Question) -> bool:
    # The attempt matches (the situation above took the others), and only that attempt's own accepted
    # operation can have left the row in the status which this operation leads to.
    return _row(q).status == q.lifecycle.finished_status(q.operation)


def _unpublished(q: Question) -> bool:
    row = _row(q)
    return row.status == q.lifecycle.pending and row.published_at is None


def _otherwise(q: Question) -> bool:
    return True


_YES, _NO = Answer.ACCEPTED, Answer.REFUSED
NO_SUCH_JOB = "no such job for that tenant"
LEASE_LIVE = "RUNNING, lease live"
LEASE_EXPIRED = "RUNNING, lease expired"
TERMINAL = "terminal"

_CREATE = (
    Cell("id exists", lambda q: q.row is not None, Answer.INTEGRITY_ERROR, _untouched),
    Cell("new id", _otherwise, _YES, _created),
)
_PUBLISH = (
    Cell("PENDING, unpublished", lambda q: not _absent(q) and _unpublished(q), _YES, _published),
    Cell("published, or past PENDING", _otherwise, _YES, _untouched),
)
_ACQUIRE = (
    Cell(NO_SUCH_JOB, _absent, _NO, _untouched),
    Cell(TERMINAL, _terminal, _NO, _untouched),
    Cell(LEASE_EXPIRED, lambda q: _running(q) and _expired(q), _YES, _acquired),
    Cell(LEASE_LIVE, _running, _NO, _untouched),
    Cell("PENDING", _status("pending"), _YES, _acquired),
    Cell("RETRYING", _otherwise, _YES, _acquired),
)
_FINISH = (
    Cell(NO_SUCH_JOB, _absent, _NO, _untouched),
    Cell("superseded, or attempt never given", _superseded, _NO, _untouched),
    Cell(LEASE_EXPIRED, lambda q: _running(q) and _expired(q), None, _late),
    Cell(LEASE_LIVE, _running, _YES, _finished),
    Cell("again, after its own finish", _already_finished_so, _YES, _untouched),
    Cell("after another finish of its own", lambda q: _row(q).status != q.lifecycle.pending, _NO, _untouched),
    Cell("PENDING, attempt 0", _otherwise, _NO, _untouched),
)
_RECOVER = (Cell("sweep", _otherwise, _YES, _untouched),)

LEGALITY: dict[Operation, tuple[Cell, ...]] = {
    Operation.CREATE: _CREATE,
    Operation.PUBLISH: _PUBLISH,
    **dict.fromkeys(ACQUISITIONS, _ACQUIRE),
    **dict.fromkeys(FINISHES, _FINISH),
    Operation.RECOVER: _RECOVER,
}


def ruling(question: Question) -> Cell:
    """The first cell of the decision list that applies to ``question``.

    >>> ours = Lifecycle()
    >>> leased = JobRow("j1", "t1", "RUNNING", 1, "w", 3540)
    >>> ruling(Question(ours, Operation.PREPARE, leased, "j1", "t1", now=3539)).situation
    'RUNNING, lease live'
    >>> ruling(Question(ours, Operation.PREPARE, leased, "j1", "t1", now=3540)).situation
    'RUNNING, lease expired'
    """
    return next(cell for cell in LEGALITY[question.operation] if cell.applies(question))


def same_row(expected: JobRow | None, actual: JobRow | None) -> bool:
    """Whether ``actual`` is the expected row; of ``locked_by`` only that somebody holds it, not who."""
    if expected is None or actual is None or expected == actual:
        return expected == actual
    if expected.locked_by == ANY_WORKER and actual.locked_by is not None:
        return expected._replace(locked_by=actual.locked_by) == actual
    return False
