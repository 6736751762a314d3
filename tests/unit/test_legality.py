"""The decision list against the specification, cell by cell, in literal rows.

The list is the oracle of every run: a wrong cell would call a correct system broken, or a broken one
correct.  So each cell is set beside what DESIGN §3 says, written out by hand, and a count shows that
no cell was left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from statemachine.legality import ANY_WORKER, LEGALITY, Question, ruling, same_row
from statemachine.lifecycle import (
    ACQUISITIONS,
    FINISHES,
    Answer,
    JobRow,
    Lifecycle,
    LifecycleError,
    Operation,
)

OURS = Lifecycle()
YES, NO, TAKEN = Answer.ACCEPTED, Answer.REFUSED, Answer.INTEGRITY_ERROR

PENDING = JobRow("j1", "t1", "PENDING")
PUBLISHED = JobRow("j1", "t1", "PENDING", published_at=5)
RUNNING = JobRow("j1", "t1", "RUNNING", 1, "w", 3540, 5)
AGAIN = JobRow("j1", "t1", "RUNNING", 2, "w", 7080, 5)
RETRYING = JobRow("j1", "t1", "RETRYING", 1, published_at=5)
DONE = JobRow("j1", "t1", "DONE", 1, published_at=5, results=1, result="r")
FAILED = JobRow("j1", "t1", "FAILED", 1, published_at=5)


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
RECOVER = (Case("recover", None, None, "", 60, "sweep", YES, None),)
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
CASES = (*CREATE, *PUBLISH, *RECOVER, *ACQUIRE, *COMPLETE, *FAIL, *RELEASE)


def question(case: Case, lifecycle: Lifecycle = OURS) -> Question:
    operation = Operation(case.operation)
    return Question(lifecycle, operation, case.row, "j1", case.tenant, case.now, case.attempt, "r")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation}: {case.situation}, {case.now} s")
def test_the_list_rules_as_the_specification_says(case: Case) -> None:
    asked = question(case)
    cell = ruling(asked)
    assert cell.situation == case.situation
    assert cell.answer_under(OURS) is case.answer
    assert cell.effect(asked) == case.expected


def test_every_cell_is_in_the_literal_table() -> None:
    assert set(LEGALITY) == set(Operation)
    listed = [(str(operation), cell.situation) for operation, cells in LEGALITY.items() for cell in cells]
    assert len(listed) == len(set(listed)), "two cells of an operation share a name"
    assert {(case.operation, case.situation) for case in CASES} == set(listed)


@pytest.mark.parametrize("operation", [str(finish) for finish in FINISHES])
def test_late_completion_may_be_refused(operation: str) -> None:
    strict = Lifecycle(late_completion=NO)
    late = question(Case(operation, RUNNING, 1, "t1", 3540, EXPIRED, NO, RUNNING), strict)
    assert ruling(late).situation == EXPIRED
    assert ruling(late).answer_under(strict) is NO
    assert ruling(late).effect(late) == RUNNING
    in_time = late._replace(now=3539)
    assert ruling(in_time).answer_under(strict) is YES


def test_late_completion_as_plain_text_means_the_same() -> None:
    plain: Any = "accepted"
    late = question(
        Case("complete", RUNNING, 1, "t1", 3540, EXPIRED, YES, DONE), Lifecycle(late_completion=plain)
    )
    assert ruling(late).effect(late) == DONE


def test_the_lease_and_the_statuses_come_from_the_lifecycle() -> None:
    other = Lifecycle(lease_seconds=10, visibility_seconds=20, running="BUSY", retrying="AGAIN", done="OK")
    asked = question(ACQUIRE[0]._replace(row=RETRYING._replace(status="AGAIN"), now=100), other)
    assert ruling(asked).effect(asked) == JobRow("j1", "t1", "BUSY", 2, ANY_WORKER, 110, 5)
    ended = asked._replace(row=DONE._replace(status="OK"))
    assert ruling(ended).situation == TERMINAL


def test_an_acquisition_may_write_any_worker_but_not_none() -> None:
    expected = leased(1, 3540)
    assert same_row(expected, expected._replace(locked_by="ai-worker"))
    assert not same_row(expected, expected._replace(locked_by=None))
    assert not same_row(expected, expected._replace(locked_by="ai-worker", lease_expires_at=3600))
    assert not same_row(DONE, DONE._replace(locked_by="ai-worker"))
    assert not same_row(None, DONE)
    assert same_row(None, None)


def test_the_operations_fall_into_acquisitions_and_finishes() -> None:
    assert ACQUISITIONS == (Operation.PREPARE, Operation.MARK_RUNNING)
    assert [OURS.finished_status(finish) for finish in FINISHES] == ["DONE", "FAILED", "RETRYING"]
    assert OURS.transitions == {
        ("PENDING", "RUNNING"),
        ("RETRYING", "RUNNING"),
        ("RUNNING", "RUNNING"),
        ("RUNNING", "DONE"),
        ("RUNNING", "FAILED"),
        ("RUNNING", "RETRYING"),
    }


IMPOSSIBLE: list[tuple[dict[str, Any], list[str]]] = [
    ({"lease_seconds": 0}, ["lease_seconds is 0", "at least 1"]),
    ({"visibility_seconds": -5}, ["visibility_seconds is -5"]),
    ({"max_receives": 0}, ["max_receives is 0"]),
    ({"inference_cap_seconds": 0}, ["inference_cap_seconds is 0"]),
    ({"lease_seconds": 3601}, ["lease_seconds is 3601", "visibility_seconds 3600"]),
    ({"visibility_seconds": 3539}, ["lease_seconds is 3540", "visibility_seconds 3539"]),
    ({"late_completion": Answer.INTEGRITY_ERROR}, ["late_completion is", "IntegrityError"]),
    ({"late_completion": "perhaps"}, ["late_completion is 'perhaps'", "Answer.ACCEPTED or Answer.REFUSED"]),
    ({"retrying": "PENDING"}, ["PENDING, PENDING, RUNNING", "not distinct"]),
    ({"recover_after_seconds": -1}, ["recover_after_seconds is -1", "at least 0"]),
]


@pytest.mark.parametrize(("fields", "words"), IMPOSSIBLE)
def test_a_lifecycle_that_cannot_be_is_refused_by_field_and_value(
    fields: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(LifecycleError) as refused:
        Lifecycle(**fields)
    for word in words:
        assert word in str(refused.value)


def test_a_lease_as_long_as_the_visibility_timeout_is_possible() -> None:
    assert Lifecycle(lease_seconds=3600).lease_seconds == 3600
