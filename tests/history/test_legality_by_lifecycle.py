"""The decision list under other lifecycles: policies, operations that a system lacks, no tokens, one end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from statemachine.history.legality import (
    ANY_WORKER,
    LEGALITY,
    UNSENT,
    cells,
    ruling,
    ruling_on,
)
from statemachine.lifecycle import (
    FENCED,
    OPTIONAL,
    Answer,
    JobRow,
    Lifecycle,
    LifecycleError,
    Operation,
)
from tests.history.test_legality import (
    ACQUIRE,
    AGAIN,
    ALL_THERE_IS,
    COMPLETE,
    DONE,
    EXPIRED,
    LIVE,
    NEVER,
    NO,
    PAST,
    PENDING,
    RECOVER,
    RETRYING,
    RUNNING,
    TERMINAL,
    YES,
    Case,
    question,
)


@pytest.mark.parametrize("operation", [str(operation) for operation in FENCED])
def test_late_completion_may_be_refused(operation: str) -> None:
    strict = replace(ALL_THERE_IS, late_completion=NO)
    late = question(Case(operation, RUNNING, 1, "t1", 3540, EXPIRED, NO, RUNNING), strict)
    assert ruling(late).situation == EXPIRED
    assert ruling(late).answer_under(strict) is NO
    assert ruling(late).effect(late) == RUNNING
    in_time = late._replace(now=3539)
    assert ruling(in_time).answer_under(strict) is YES


@pytest.mark.parametrize(("finishing", "renewing"), [(YES, NO), (NO, YES)])
def test_a_late_renewal_has_an_answer_of_its_own(finishing: Answer, renewing: Answer) -> None:
    """A heartbeat that refuses to revive a lease is sound beside a finish that may come late."""
    ours = replace(ALL_THERE_IS, late_completion=finishing, late_renewal=renewing)
    for operation in FENCED:
        due = renewing if operation is Operation.RENEW else finishing
        late = question(Case(str(operation), RUNNING, 1, "t1", 3540, EXPIRED, due, RUNNING), ours)
        assert ruling(late).answer_under(ours) is due
        assert (ruling(late).effect(late) != RUNNING) == (due is YES)


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


def situations(lifecycle: Lifecycle) -> dict[str, set[str]]:
    return {str(operation): {cell.situation for cell in listed} for operation, listed in cells(lifecycle)}


EVERY_CELL = situations(ALL_THERE_IS)


def test_a_system_that_has_everything_has_every_cell() -> None:
    assert {
        str(operation): {cell.situation for cell in listed} for operation, listed in LEGALITY.items()
    } == EVERY_CELL


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"offers": OPTIONAL - {Operation.EXTEND}}, {"extend": {"writes nothing"}}),
        ({"offers": OPTIONAL - {Operation.RENEW}}, {"renew": EVERY_CELL["renew"]}),
        ({"offers": OPTIONAL - {Operation.RECOVER}}, {"recover": EVERY_CELL["recover"], "publish": {PAST}}),
        (
            {"offers": OPTIONAL - {Operation.RELEASE}},
            {"release": EVERY_CELL["release"], "prepare": {"RETRYING"}, "mark_running": {"RETRYING"}},
        ),
        ({"further_terminal": ()}, {"close": EVERY_CELL["close"]}),
        ({"fenced": False}, {str(operation): {NEVER} for operation in FENCED}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_cell_that_cannot_come_about_is_left_out(
    changes: dict[str, Any], gone: dict[str, set[str]]
) -> None:
    left = situations(replace(ALL_THERE_IS, **changes))
    missing = {operation: known - left.get(operation, set()) for operation, known in EVERY_CELL.items()}
    assert {operation: lost for operation, lost in missing.items() if lost} == gone


@pytest.mark.parametrize("operation", [str(operation) for operation in FENCED])
def test_without_tokens_no_attempt_is_superseded(operation: str) -> None:
    unfenced = replace(ALL_THERE_IS, fenced=False)
    stale = question(Case(operation, AGAIN, 1, "t1", 3600, NEVER, NO, AGAIN))
    assert ruling(stale).answer_under(ALL_THERE_IS) is NO
    anybody = stale._replace(lifecycle=unfenced)
    assert ruling(anybody).situation == LIVE
    assert ruling(anybody).answer_under(unfenced) is YES
    foreign = anybody._replace(tenant="t2")
    assert ruling(foreign).answer_under(unfenced) is NO


def test_a_failure_that_ends_in_done_has_no_result() -> None:
    one_end = replace(ALL_THERE_IS, failed="DONE")
    failed = question(Case("fail", RUNNING, 1, "t1", 10, LIVE, YES, None), one_end)
    assert ruling(failed).effect(failed) == DONE._replace(results=0, result=None)


def test_a_sweep_rules_on_each_job_by_its_age() -> None:
    asked = question(RECOVER[0])
    for now, situation in ((159, "PENDING, unpublished, too young"), (160, UNSENT)):
        ruled = ruling_on(asked, PENDING, now, created_at=100)
        assert ruled.cell.situation == situation
        assert (ruled.question.row, ruled.question.job, ruled.question.tenant) == (PENDING, "j1", "t1")


def test_an_effect_on_no_row_is_an_error_that_names_the_operation() -> None:
    finish = LEGALITY[Operation.COMPLETE][3]
    with pytest.raises(LifecycleError, match="complete on j1: this effect needs a row"):
        finish.effect(question(COMPLETE[0]))
