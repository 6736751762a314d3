"""The legality table: for every operation, the situations in which it can be called, in order.

Each :class:`Cell` says which answer and which effect its situation demands; the first that applies wins.
The table is both the oracle of a run and the source of the situations that a run must reach.  It says nothing
about the queue (``world/queue.py`` does what AWS documents), nor about more than one job at a time.

To change a rule, change its cell: the claims in ``invariants/table.py`` and the counts in ``reach.py``
follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from statemachine.lifecycle import (
    ACQUISITIONS,
    FINISHES,
    MESSAGE_STEPS,
    Answer,
    JobRow,
    Lifecycle,
    LifecycleError,
    Operation,
)


class Question(NamedTuple):
    """A call beside the row that it finds: all that the table decides by."""

    lifecycle: Lifecycle
    operation: Operation
    row: JobRow | None  # the committed row of the job that the call names, of any tenant
    job: str
    tenant: str  # the tenant in whose name the call is made
    now: float  # seconds from the start, by the caller's own clock
    attempt: int | None = None  # the fencing token that a finish or a renewal shows
    payload: str | None = None  # the result that a completion brings, or the status that a close asks for
    created_at: float | None = None  # when the job's row was first committed


Effect = Callable[[Question], "JobRow | None"]
"""The row that a call has to leave behind; None: no row."""


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


def _renewed(q: Question) -> JobRow:
    return _row(q)._replace(lease_expires_at=q.now + q.lifecycle.lease_seconds)


def _finished(q: Question) -> JobRow:
    completes = q.operation is Operation.COMPLETE
    return _row(q)._replace(
        status=q.lifecycle.finished_status(q.operation, q.payload),
        locked_by=None,
        lease_expires_at=None,
        results=1 if completes else 0,
        result=q.payload if completes else None,
    )


ANY_WORKER = "(some worker)"
"""Stands in an expected ``locked_by``: all workers may share one id, so any but NULL is right."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table: in this situation, this answer and this effect."""

    situation: str  # its name, as reports and counts print it
    applies: Callable[[Question], bool]  # asked only where no earlier cell applies
    answer: Answer | Callable[[Lifecycle], Answer]  # fixed, or a policy of the lifecycle
    effect: Effect
    exists: Callable[[Lifecycle], bool] = lambda lifecycle: True  # whether it can come about at all
    direct: bool = False  # a worker comes here seldom or never: required only where direct calls are made

    def answer_under(self, lifecycle: Lifecycle) -> Answer:
        """Return the answer that is due under ``lifecycle``."""
        return self.answer if isinstance(self.answer, Answer) else self.answer(lifecycle)


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


_fenced = attrgetter("fenced")
_ages = attrgetter("recover_after_seconds")


def _can_retry(lifecycle: Lifecycle) -> bool:
    return lifecycle.has(Operation.RELEASE)


def _is_swept(lifecycle: Lifecycle) -> bool:
    return lifecycle.has(Operation.RECOVER)


def _has_several_ends(lifecycle: Lifecycle) -> bool:
    return len(lifecycle.terminal) > 1 or _can_retry(lifecycle)


def _superseded(q: Question) -> bool:
    return q.lifecycle.fenced and q.attempt != _row(q).attempt


def _already_finished_so(q: Question) -> bool:
    # The attempt matches: SUPERSEDED, above, took the others.  So only an accepted operation of this attempt
    # can have left the row in the status that this operation leads to.  Where no tokens are shown, it may
    # have been another attempt's, which the system cannot tell apart.
    row, ours = _row(q), q.lifecycle
    if ours.done == ours.failed and row.status == ours.done:
        # A failure that ends in DONE leaves no result, and that tells it from a completion.
        wanted = {Operation.COMPLETE: 1, Operation.FAIL: 0}.get(q.operation)
        return wanted == row.results
    return row.status == ours.finished_status(q.operation, q.payload)


def _unpublished(q: Question) -> bool:
    row = _row(q)
    return row.status == q.lifecycle.pending and row.published_at is None


def _unsent_since_long(q: Question) -> bool:
    since = q.created_at
    return _unpublished(q) and since is not None and q.now >= since + q.lifecycle.recover_after_seconds


def _otherwise(q: Question) -> bool:
    return True


class Ruled(NamedTuple):
    """A call in one committed state, and the cell that applies to it."""

    question: Question
    cell: Cell


_YES, _NO = Answer.ACCEPTED, Answer.REFUSED
NO_SUCH_JOB = "no such job for that tenant"
LEASE_LIVE = "RUNNING, lease live"
LEASE_EXPIRED = "RUNNING, lease expired"
TERMINAL = "terminal"
SUPERSEDED = "superseded, or attempt never given"
UNSENT = "PENDING, unpublished, old enough"


def _late(policy: Callable[[Lifecycle], Answer], effect: Effect) -> Cell:
    def allowed(q: Question) -> JobRow | None:
        return effect(q) if policy(q.lifecycle) is Answer.ACCEPTED else q.row

    return Cell(LEASE_EXPIRED, lambda q: _running(q) and _expired(q), policy, allowed)


_CREATE = (
    Cell("id exists", lambda q: q.row is not None, Answer.INTEGRITY_ERROR, _untouched),
    Cell("new id", _otherwise, _YES, _created),
)
_PUBLISH = (
    Cell("PENDING, unpublished", lambda q: not _absent(q) and _unpublished(q), _YES, _published),
    # The publisher is handed each job once, so only a sweep can have sent it before.
    Cell("published, or past PENDING", _otherwise, _YES, _untouched, exists=_is_swept),
)
_ACQUIRE = (
    Cell(NO_SUCH_JOB, _absent, _NO, _untouched),
    Cell(TERMINAL, _terminal, _NO, _untouched),
    Cell(LEASE_EXPIRED, lambda q: _running(q) and _expired(q), _YES, _acquired),
    Cell(LEASE_LIVE, _running, _NO, _untouched),
    Cell("PENDING", _status("pending"), _YES, _acquired),
    Cell("RETRYING", _otherwise, _YES, _acquired, exists=_can_retry),
)
_FINISH = (
    Cell(NO_SUCH_JOB, _absent, _NO, _untouched, direct=True),
    Cell(SUPERSEDED, _superseded, _NO, _untouched, exists=_fenced),
    _late(lambda ours: ours.late_completion, _finished),
    Cell(LEASE_LIVE, _running, _YES, _finished),
    Cell("again, after its own finish", _already_finished_so, _YES, _untouched, direct=True),
    Cell(
        "after another finish of its own",
        lambda q: _row(q).status != q.lifecycle.pending,
        _NO,
        _untouched,
        exists=_has_several_ends,
        direct=True,
    ),
    Cell("PENDING, attempt 0", _otherwise, _NO, _untouched, direct=True),
)
_RENEW = (
    Cell(NO_SUCH_JOB, _absent, _NO, _untouched, direct=True),
    Cell(SUPERSEDED, _superseded, _NO, _untouched, exists=_fenced),
    _late(lambda ours: ours.late_renewal or ours.late_completion, _renewed),
    Cell(LEASE_LIVE, _running, _YES, _renewed),
    Cell("not RUNNING", _otherwise, _NO, _untouched, direct=True),
)
# A sweep names no job: as a call it is in the first cell, and on each job it is ruled by the others.
_RECOVER = (
    Cell("sweep", lambda q: q.row is None, _YES, _untouched),
    Cell(UNSENT, _unsent_since_long, _YES, _published),
    Cell("PENDING, unpublished, too young", _unpublished, _YES, _untouched, exists=_ages),
    Cell("published, or past PENDING", _otherwise, _YES, _untouched),
)
_MESSAGE_STEP = (Cell("writes nothing", _otherwise, _YES, _untouched),)

LEGALITY: dict[Operation, tuple[Cell, ...]] = {
    Operation.CREATE: _CREATE,
    Operation.PUBLISH: _PUBLISH,
    **dict.fromkeys(ACQUISITIONS, _ACQUIRE),
    Operation.RENEW: _RENEW,
    **dict.fromkeys(FINISHES, _FINISH),
    **dict.fromkeys(MESSAGE_STEPS, _MESSAGE_STEP),
    Operation.RECOVER: _RECOVER,
}


def cells(lifecycle: Lifecycle) -> list[tuple[Operation, list[Cell]]]:
    """Return the cells that exist under ``lifecycle``, by operation, in the table's order."""
    return [
        (
            operation,
            [cell for cell in listed if cell.exists(lifecycle) and _comes(cell, operation, lifecycle)],
        )
        for operation, listed in LEGALITY.items()
        if lifecycle.has(operation)
        and (operation is not Operation.MARK_RUNNING or operation in lifecycle.strays)
    ]


def _comes(cell: Cell, operation: Operation, lifecycle: Lifecycle) -> bool:
    return operation in lifecycle.strays or not cell.direct


def ruling(question: Question) -> Cell:
    """Return the first cell of the table that applies to ``question``.

    >>> ours = Lifecycle()
    >>> leased = JobRow("j1", "t1", "RUNNING", 1, "w", 3540)
    >>> ruling(Question(ours, Operation.PREPARE, leased, "j1", "t1", now=3539)).situation
    'RUNNING, lease live'
    >>> ruling(Question(ours, Operation.PREPARE, leased, "j1", "t1", now=3540)).situation
    'RUNNING, lease expired'
    """
    return next(cell for cell in LEGALITY[question.operation] if cell.applies(question))


def ruling_on(question: Question, row: JobRow, now: float, created_at: float) -> Ruled:
    """Return the ruling on ``question``, of a sweep, which names no job, for the job in ``row``."""
    asked = question._replace(row=row, job=row.job, tenant=row.tenant, now=now, created_at=created_at)
    return Ruled(asked, ruling(asked))


def same_row(expected: JobRow | None, actual: JobRow | None) -> bool:
    """Whether ``actual`` is the expected row; :data:`ANY_WORKER` equals any ``locked_by`` but NULL."""
    if expected is None or actual is None or expected == actual:
        return expected == actual
    if expected.locked_by == ANY_WORKER and actual.locked_by is not None:
        return expected._replace(locked_by=actual.locked_by) == actual
    return False
