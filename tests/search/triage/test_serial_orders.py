"""Scripts of operations in flight, written otherwise: without a step, and with each operation whole."""

from __future__ import annotations

from typing import Any

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.history.in_flight import flights_of
from statemachine.invariants import Violation
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, Steps, steps_of
from statemachine.search.triage.serial_orders import at_rest_after, carried_on, serially, without
from statemachine.search.triage.signature import Signature
from tests.history.test_in_flight import LOCKED, UPDATE, begins, dies, goes_on
from tests.support.events import committed, created, invoked, killed, returned, struck

SEEN = Violation("every_job_ends", "j1", 1, 0, "it does not", ())


def scripted(*parts: list[Event]) -> tuple[list[Step], list[Any]]:
    events = tuple(event for part in parts for event in part)
    failure = Failure(SEEN, (), events, Signature(SEEN.invariant, "prepare"))
    return steps_of(failure), flights_of(events)


def keys(steps: Steps) -> list[int]:
    return [step.key for step in steps]


OVERLAP = scripted(
    created(1),
    begins(2, "A"),
    begins(3, "B"),
    goes_on(4, "B", LOCKED, call=3),
    goes_on(5, "B", "COMMIT", committed(3), returned(3), call=3),
    goes_on(6, "A", LOCKED, call=2),
    goes_on(7, "A", "COMMIT", committed(2), returned(2), call=2),
)


def test_whole_operations_are_ordered_by_begin_or_by_commit() -> None:
    steps, flights = OVERLAP
    begun, committed_ = (serially(steps, flights, by_commit=by_commit) for by_commit in (False, True))
    assert keys(begun) == [1, 2, 3]
    assert keys(committed_) == [1, 3, 2]
    assert all("stepwise" not in step.arguments for step in [*begun, *committed_])


def test_an_operation_without_a_commit_is_placed_at_its_end_or_last() -> None:
    steps, flights = scripted(
        begins(1, "A"), begins(2, "B"), goes_on(3, "B", LOCKED, returned(2), call=2), created(4)
    )
    assert keys(serially(steps, flights, by_commit=True)) == [2, 4, 1]


def test_an_operation_killed_before_a_commit_is_killed_there_when_whole() -> None:
    steps, flights = scripted(
        begins(1),
        goes_on(2, "A", UPDATE),
        goes_on(3, "A", "COMMIT", committed(1)),
        goes_on(4, "A", UPDATE),
        dies(5, fault="kill_before_commit"),
    )
    (step,) = serially(steps, flights, by_commit=False)
    assert step.arguments == {"fault": "kill_before_commit", "at": 2}


def test_a_killed_stray_call_is_left_out() -> None:
    asked = [StepBegan(0, 1, "stray", {"stepwise": True}), invoked(1, "complete", "stray")]
    steps, flights = scripted(
        asked, [StepBegan(0, 2, "kill_in_flight", {"by": "stray"}), struck(1), killed(1)], created(3)
    )
    assert keys(serially(steps, flights, by_commit=False)) == [3]


def test_messages_are_renamed_after_the_whole_operation() -> None:
    steps, flights = scripted(
        [StepBegan(0, 1, "recover", {"stepwise": True}), invoked(1, "recover", "sweep")],
        goes_on(2, "sweep", "SELECT ai_job", history.Sent(0, "m2", "j1", "t1", 1)),
        goes_on(3, "sweep", UPDATE, committed(1), history.Sent(0, "m3", "j2", "t1", 1), returned(1)),
        [StepBegan(0, 4, "receive", {"worker": "A", "message": "m3"})],
    )
    assert serially(steps, flights, by_commit=False)[1].arguments["message"] == "m1.2"


def test_an_operation_that_sends_a_message_is_placed_at_the_sending() -> None:
    steps, flights = scripted(
        [StepBegan(0, 1, "publish", {"stepwise": True}), invoked(1, "publish", "publisher")],
        [history.Sent(0, "m1", "j1", "t1", 1)],
        [StepBegan(0, 2, "receive", {"worker": "A", "message": "m1"})],
        goes_on(3, "publisher", UPDATE, committed(1), returned(1)),
    )
    assert keys(serially(steps, flights, by_commit=True)) == [1, 2]


def test_dropping_a_statement_drops_the_later_ones_of_its_operation() -> None:
    steps, flights = OVERLAP
    assert keys(without(steps, flights, 4)) == [1, 2, 3, 6, 7]
    assert keys(without(steps, flights, 3)) == [1, 2, 6, 7]
    assert keys(without(steps, flights, 1)) == [2, 3, 4, 5, 6, 7]
    assert list(carried_on(flights, 2)) == [6, 7]


def test_dropping_a_statement_keeps_the_kill_of_its_operation() -> None:
    steps, flights = scripted(begins(1), goes_on(2, "A", LOCKED), goes_on(3, "A", UPDATE), dies(4))
    assert keys(without(steps, flights, 2)) == [1, 4]
    assert keys(without(steps, flights, 1)) == []


def test_the_second_stray_is_renamed_when_the_first_is_dropped() -> None:
    steps, flights = scripted(
        begins(1, "stray", "complete"),
        begins(2, "stray", "fail"),
        goes_on(3, "stray 2", LOCKED, call=2),
        goes_on(4, "stray", "COMMIT", returned(1)),
        goes_on(5, "stray 2", "COMMIT", returned(2), call=2),
    )
    assert [step.arguments.get("by") for step in without(steps, flights, 1)] == [None, "stray", "stray"]
    assert [step.arguments.get("by") for step in without(steps, flights, 3)] == [None, None, "stray"]


def test_nothing_is_at_rest_between_a_beginning_and_its_end() -> None:
    steps, flights = OVERLAP
    rest = [at_rest_after(flights, steps, place) for place in range(len(steps))]
    assert rest == [True, False, False, False, False, False, True]
