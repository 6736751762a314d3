"""The specification as data: what follows from its fields, and fields that contradict one another.

A binding's author meets these errors first.  Each must name the field, the value that was seen, and
what would do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from statemachine.lifecycle import (
    ACQUISITIONS,
    FENCED,
    FINISHES,
    MESSAGE_STEPS,
    OPTIONAL,
    Answer,
    Lifecycle,
    LifecycleError,
    Operation,
)

OURS = Lifecycle()
REVIEWS = Lifecycle(further_terminal=("REVIEW_REQUIRED", "CANCELLED"))


def test_the_operations_fall_into_acquisitions_finishes_and_message_steps() -> None:
    assert ACQUISITIONS == (Operation.PREPARE, Operation.MARK_RUNNING)
    assert FINISHES == (Operation.COMPLETE, Operation.FAIL, Operation.RELEASE, Operation.CLOSE)
    assert (*FINISHES, Operation.RENEW) == FENCED
    assert MESSAGE_STEPS == (Operation.RECEIVE, Operation.EXTEND, Operation.ACKNOWLEDGE)
    rest = {Operation.CREATE, Operation.PUBLISH, Operation.RECOVER}
    assert {*ACQUISITIONS, *FENCED, *MESSAGE_STEPS, *rest} == set(Operation)


def test_each_finish_leads_to_its_status() -> None:
    plain = (Operation.COMPLETE, Operation.FAIL, Operation.RELEASE)
    assert [OURS.finished_status(finish) for finish in plain] == ["DONE", "FAILED", "RETRYING"]
    assert REVIEWS.finished_status(Operation.CLOSE, "CANCELLED") == "CANCELLED"
    assert REVIEWS.finished_status(Operation.COMPLETE, "CANCELLED") == "DONE"


def test_the_transitions_are_those_of_the_specification() -> None:
    assert OURS.transitions == {
        ("PENDING", "RUNNING"),
        ("RETRYING", "RUNNING"),
        ("RUNNING", "RUNNING"),
        ("RUNNING", "DONE"),
        ("RUNNING", "FAILED"),
        ("RUNNING", "RETRYING"),
    }
    further = {("RUNNING", "REVIEW_REQUIRED"), ("RUNNING", "CANCELLED")}
    assert REVIEWS.transitions == OURS.transitions | further
    assert REVIEWS.terminal == {"DONE", "FAILED", "REVIEW_REQUIRED", "CANCELLED"}


def test_a_failure_may_end_in_done() -> None:
    one_end = Lifecycle(failed="DONE")
    assert one_end.terminal == {"DONE"}
    assert one_end.finished_status(Operation.FAIL) == "DONE"
    assert ("RUNNING", "FAILED") not in one_end.transitions


@pytest.mark.parametrize("operation", sorted(OPTIONAL))
def test_an_optional_operation_is_there_when_it_is_offered(operation: Operation) -> None:
    assert replace(OURS, offers=frozenset({operation})).has(operation)
    assert not replace(OURS, offers=OPTIONAL - {operation}).has(operation)


def test_what_every_system_has_needs_no_offer() -> None:
    nothing = Lifecycle(offers=frozenset())
    lacking = {operation for operation in Operation if not nothing.has(operation)}
    assert lacking == {*OPTIONAL, Operation.CLOSE}
    assert nothing.finishes == (Operation.COMPLETE, Operation.FAIL)
    assert REVIEWS.has(Operation.CLOSE)
    assert REVIEWS.finishes == FINISHES


def test_plain_values_become_what_they_stand_for() -> None:
    offers: Any = ["renew"]
    further: Any = ["REVIEW_REQUIRED"]
    late: Any = "refused"
    made = Lifecycle(offers=offers, further_terminal=further, late_completion=late)
    assert made.offers == frozenset({Operation.RENEW})
    assert made.further_terminal == ("REVIEW_REQUIRED",)
    assert made.late_completion is Answer.REFUSED
    assert replace(made, late_renewal=late).late_renewal is Answer.REFUSED
    assert hash(made) == hash(replace(made))


IMPOSSIBLE: list[tuple[dict[str, Any], list[str]]] = [
    ({"lease_seconds": 0}, ["lease_seconds is 0", "at least 1"]),
    ({"visibility_seconds": -5}, ["visibility_seconds is -5"]),
    ({"max_receives": 0}, ["max_receives is 0"]),
    ({"inference_cap_seconds": 0}, ["inference_cap_seconds is 0"]),
    ({"lease_seconds": 3601}, ["lease_seconds is 3601", "visibility_seconds 3600"]),
    ({"visibility_seconds": 3539}, ["lease_seconds is 3540", "visibility_seconds 3539"]),
    ({"late_completion": Answer.INTEGRITY_ERROR}, ["late_completion is", "IntegrityError"]),
    ({"late_completion": "perhaps"}, ["late_completion is 'perhaps'", "Answer.ACCEPTED or Answer.REFUSED"]),
    ({"late_renewal": "perhaps"}, ["late_renewal is 'perhaps'", "Answer.ACCEPTED or Answer.REFUSED"]),
    ({"retrying": "PENDING"}, ["PENDING, PENDING, RUNNING", "not distinct"]),
    ({"done": "RUNNING"}, ["not distinct", "only done and failed may be the same"]),
    ({"failed": "RETRYING"}, ["not distinct"]),
    ({"further_terminal": ("DONE",)}, ["DONE, FAILED, DONE", "not distinct"]),
    ({"further_terminal": "REVIEW"}, ["further_terminal is the text 'REVIEW'", "('REVIEW',)"]),
    ({"further_terminal": ("REVIEW", "REVIEW")}, ["REVIEW, REVIEW", "not distinct"]),
    ({"recover_after_seconds": -1}, ["recover_after_seconds is -1", "at least 0"]),
    ({"offers": frozenset({Operation.CREATE})}, ["offers names create", "extend, recover, release, renew"]),
    ({"offers": frozenset({Operation.CLOSE})}, ["offers names close"]),
    ({"offers": {"explode"}}, ["offers names explode"]),
    ({"strays": frozenset({Operation.PREPARE})}, ["strays names prepare", "complete, fail", "leave out"]),
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
