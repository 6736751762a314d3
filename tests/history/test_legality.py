"""The decision list against the specification, cell by cell, in literal rows.

The list is the oracle of every run: a wrong cell would call a correct system broken, or a broken one
correct.  So each cell is set beside what DESIGN §3 says, written out by hand, and a count shows that
no cell was left out.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from statemachine.history.legality import (
    ANY_WORKER,
    LEGALITY,
    UNSENT,
    Question,
    ruling,
    same_row,
)
from statemachine.lifecycle import (
    OPTIONAL,
    Answer,
    JobRow,
    Lifecycle,
    Operation,
)

OURS = Lifecycle()
ALL_THERE_IS = Lifecycle(offers=OPTIONAL, further_terminal=("REVIEW_REQUIRED", "CANCELLED"))
YES, NO, TAKEN = Answer.ACCEPTED, Answer.REFUSED, Answer.INTEGRITY_ERROR

PENDING = JobRow("j1", "t1", "PENDING")
PUBLISHED = JobRow("j1", "t1", "PENDING", published_at=5)
RUNNING = JobRow("j1", "t1", "RUNNING", 1, "w", 3540, 5)
AGAIN = JobRow("j1", "t1", "RUNNING", 2, "w", 7080, 5)
RETRYING = JobRow("j1", "t1", "RETRYING", 1, published_at=5)
DONE = JobRow("j1", "t1", "DONE", 1, published_at=5, results=1, result="r")
FAILED = JobRow("j1", "t1", "FAILED", 1, published_at=5)
REVIEW = JobRow("j1", "t1", "REVIEW_REQUIRED", 1, published_at=5)
CANCELLED = JobRow("j1", "t1", "CANCELLED", 1, published_at=5)


def leased(attempt: int, until: float) -> JobRow:
    return JobRow("j1", "t1", "RUNNING", attempt, ANY_WORKER, until, 5)


class Case(NamedTuple):
    """One call of j1 in its row, and what the specification owes it.  Times are seconds."""

    operation: str
    row: JobRow | None
    attempt: int | None
    tenant: str
    now: float
    situation: str
    answer: Answer
    expected: JobRow | None


NONE, TERMINAL = "no such job for that tenant", "terminal"
LIVE, EXPIRED = "RUNNING, lease live", "RUNNING, lease expired"
NEVER, OWN = "superseded, or attempt never given", "again, after its own finish"
OTHER, ZERO = "after another finish of its own", "PENDING, attempt 0"
PAST = "published, or past PENDING"

CREATE = (
    Case("create", None, None, "t1", 7, "new id", YES, PENDING),
    Case("create", PENDING, None, "t1", 7, "id exists", TAKEN, PENDING),
    Case("create", DONE, None, "t2", 7, "id exists", TAKEN, DONE),
)
PUBLISH = (
    Case("publish", PENDING, None, "t1", 5, "PENDING, unpublished", YES, PUBLISHED),
    Case("publish", PUBLISHED, None, "t1", 9, PAST, YES, PUBLISHED),
    Case("publish", RUNNING, None, "t1", 9, PAST, YES, RUNNING),
    Case(
        "publish",
        RUNNING._replace(published_at=None),
        None,
        "t1",
        9,
        PAST,
        YES,
        RUNNING._replace(published_at=None),
    ),
    Case("publish", PENDING, None, "t2", 9, PAST, YES, PENDING),
    Case("publish", None, None, "t1", 9, PAST, YES, None),
)
ACQUIRE = tuple(
    Case(operation, *rest)
    for operation in ("prepare", "mark_running")
    for rest in (
        (None, None, "t1", 0, NONE, NO, None),
        (PUBLISHED, None, "t2", 9, NONE, NO, PUBLISHED),
        (RUNNING, None, "t2", 9999, NONE, NO, RUNNING),
        (DONE, None, "t1", 9999, TERMINAL, NO, DONE),
        (FAILED, None, "t1", 9999, TERMINAL, NO, FAILED),
        (RUNNING, None, "t1", 3539, LIVE, NO, RUNNING),
        (RUNNING, None, "t1", 3539.5, LIVE, NO, RUNNING),
        (RUNNING, None, "t1", 3540, EXPIRED, YES, leased(2, 7080)),
        (RUNNING, None, "t1", 3541, EXPIRED, YES, leased(2, 7081)),
        (PUBLISHED, None, "t1", 10, "PENDING", YES, leased(1, 3550)),
        (RETRYING, None, "t1", 3600, "RETRYING", YES, leased(2, 7140)),
    )
)
COMPLETE = (
    Case("complete", None, 1, "t1", 10, NONE, NO, None),
    Case("complete", RUNNING, 1, "t2", 10, NONE, NO, RUNNING),
    Case("complete", AGAIN, 1, "t1", 3600, NEVER, NO, AGAIN),
    Case("complete", RUNNING, 2, "t1", 10, NEVER, NO, RUNNING),
    Case("complete", RUNNING, None, "t1", 10, NEVER, NO, RUNNING),
    Case("complete", PENDING, 1, "t1", 10, NEVER, NO, PENDING),
    Case("complete", RUNNING, 1, "t1", 3539, LIVE, YES, DONE),
    Case("complete", RUNNING, 1, "t1", 3540, EXPIRED, YES, DONE),
    Case("complete", DONE, 1, "t1", 11, OWN, YES, DONE),
    Case("complete", FAILED, 1, "t1", 11, OTHER, NO, FAILED),
    Case("complete", RETRYING, 1, "t1", 11, OTHER, NO, RETRYING),
    Case("complete", PENDING, 0, "t1", 10, ZERO, NO, PENDING),
)
FAIL = (
    Case("fail", None, 1, "t1", 10, NONE, NO, None),
    Case("fail", RUNNING, 1, "t2", 10, NONE, NO, RUNNING),
    Case("fail", AGAIN, 1, "t1", 3600, NEVER, NO, AGAIN),
    Case("fail", RUNNING, 0, "t1", 10, NEVER, NO, RUNNING),
    Case("fail", RUNNING, 1, "t1", 3539, LIVE, YES, FAILED),
    Case("fail", RUNNING, 1, "t1", 3541, EXPIRED, YES, FAILED),
    Case("fail", FAILED, 1, "t1", 11, OWN, YES, FAILED),
    Case("fail", DONE, 1, "t1", 11, OTHER, NO, DONE),
    Case("fail", RETRYING, 1, "t1", 11, OTHER, NO, RETRYING),
    Case("fail", PENDING, 0, "t1", 10, ZERO, NO, PENDING),
)
RELEASE = (
    Case("release", None, 1, "t1", 10, NONE, NO, None),
    Case("release", RUNNING, 1, "t2", 10, NONE, NO, RUNNING),
    # Attempt 1's own retry was accepted; the job has a new attempt since.
    Case("release", AGAIN, 1, "t1", 3600, NEVER, NO, AGAIN),
    Case("release", RUNNING, 1, "t1", 3539, LIVE, YES, RETRYING),
    Case("release", RUNNING, 1, "t1", 3540, EXPIRED, YES, RETRYING),
    Case("release", RETRYING, 1, "t1", 11, OWN, YES, RETRYING),
    Case("release", DONE, 1, "t1", 11, OTHER, NO, DONE),
    Case("release", FAILED, 1, "t1", 11, OTHER, NO, FAILED),
    Case("release", PENDING, 0, "t1", 10, ZERO, NO, PENDING),
)
# Created at second 0.  Of a sweep, only what it may send is data here: it is asked about no job.
RECOVER = tuple(
    Case("recover", row, None, "t1", now, situation, YES, left)
    for row, now, situation, left in (
        (None, 60, "sweep", None),
        (PENDING, 59, "PENDING, unpublished, too young", PENDING),
        (PENDING, 59.5, "PENDING, unpublished, too young", PENDING),
        (PENDING, 60, UNSENT, PENDING._replace(published_at=60)),
        (PENDING, 61, UNSENT, PENDING._replace(published_at=61)),
        (PUBLISHED, 9999, PAST, PUBLISHED),
        (RUNNING._replace(published_at=None), 9999, PAST, RUNNING._replace(published_at=None)),
        (DONE, 9999, PAST, DONE),
    )
)
RENEW = (
    Case("renew", None, 1, "t1", 10, NONE, NO, None),
    Case("renew", RUNNING, 1, "t2", 10, NONE, NO, RUNNING),
    Case("renew", AGAIN, 1, "t1", 3600, NEVER, NO, AGAIN),
    Case("renew", RUNNING, 2, "t1", 10, NEVER, NO, RUNNING),
    Case("renew", RUNNING, 1, "t1", 3539, LIVE, YES, RUNNING._replace(lease_expires_at=7079)),
    Case("renew", RUNNING, 1, "t1", 3540, EXPIRED, YES, RUNNING._replace(lease_expires_at=7080)),
    Case("renew", DONE, 1, "t1", 11, "not RUNNING", NO, DONE),
    Case("renew", RETRYING, 1, "t1", 11, "not RUNNING", NO, RETRYING),
    Case("renew", PENDING, 0, "t1", 11, "not RUNNING", NO, PENDING),
)
CLOSE = (
    Case("close", None, 1, "t1", 10, NONE, NO, None),
    Case("close", RUNNING, 1, "t2", 10, NONE, NO, RUNNING),
    Case("close", AGAIN, 1, "t1", 3600, NEVER, NO, AGAIN),
    Case("close", RUNNING, 1, "t1", 3539, LIVE, YES, REVIEW),
    Case("close", RUNNING, 1, "t1", 3540, EXPIRED, YES, REVIEW),
    Case("close", REVIEW, 1, "t1", 11, OWN, YES, REVIEW),
    Case("close", CANCELLED, 1, "t1", 11, OTHER, NO, CANCELLED),
    Case("close", DONE, 1, "t1", 11, OTHER, NO, DONE),
    Case("close", RETRYING, 1, "t1", 11, OTHER, NO, RETRYING),
    Case("close", PENDING, 0, "t1", 10, ZERO, NO, PENDING),
    Case("complete", REVIEW, 1, "t1", 11, OTHER, NO, REVIEW),
    Case("prepare", REVIEW, None, "t1", 9999, TERMINAL, NO, REVIEW),
)
MESSAGE_STEPS = tuple(
    Case(operation, row, None, "t1", 10, "writes nothing", YES, row)
    for operation in ("receive", "extend", "acknowledge")
    for row in (None, RUNNING, DONE)
)
CASES = (
    *(*CREATE, *PUBLISH, *RECOVER, *ACQUIRE),
    *(*COMPLETE, *FAIL, *RELEASE, *RENEW, *CLOSE, *MESSAGE_STEPS),
)


def question(case: Case, lifecycle: Lifecycle = ALL_THERE_IS) -> Question:
    operation = Operation(case.operation)
    brings = "REVIEW_REQUIRED" if operation is Operation.CLOSE else "r"
    return Question(lifecycle, operation, case.row, "j1", case.tenant, case.now, case.attempt, brings, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation}: {case.situation}, {case.now} s")
def test_the_list_rules_as_the_specification_says(case: Case) -> None:
    asked = question(case)
    cell = ruling(asked)
    assert cell.situation == case.situation
    assert cell.answer_under(ALL_THERE_IS) is case.answer
    assert cell.effect(asked) == case.expected


def test_every_cell_is_in_the_literal_table() -> None:
    assert set(LEGALITY) == set(Operation)
    listed = [(str(operation), cell.situation) for operation, cells in LEGALITY.items() for cell in cells]
    assert len(listed) == len(set(listed)), "two cells of an operation share a name"
    assert {(case.operation, case.situation) for case in CASES} == set(listed)


def test_an_acquisition_may_write_any_worker_but_not_none() -> None:
    expected = leased(1, 3540)
    assert same_row(expected, expected._replace(locked_by="ai-worker"))
    assert not same_row(expected, expected._replace(locked_by=None))
    assert not same_row(expected, expected._replace(locked_by="ai-worker", lease_expires_at=3600))
    assert not same_row(DONE, DONE._replace(locked_by="ai-worker"))
    assert not same_row(None, DONE)
    assert same_row(None, None)
