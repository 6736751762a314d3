"""What makes two failing histories one finding: the failing step, and nothing that came before it."""

from __future__ import annotations

from statemachine.history.events import StatementBegan, StepBegan
from statemachine.history.ledger import Ledger
from statemachine.invariants import Violation
from statemachine.search.triage.script import Step, play
from statemachine.search.triage.signature import Shape, shape_of
from tests.conftest import OpenLane
from tests.support.events import NO, OURS, call, committed, created, invoked, observed, running
from tests.support.scripts import MINIMAL

NOT_HELD = "superseded, or attempt never given"


def test_one_defect_on_two_ways_is_one_shape(open_lane: OpenLane) -> None:
    late = [*MINIMAL["completion_without_token"]]
    with open_lane("completion_without_token") as lane:
        one = play(lane, late).failure
        other = play(lane, [*late[:-1], Step(50, "wait", {"seconds": 1}), late[-1]]).failure
    assert one is not None
    assert other is not None
    assert one.shape == other.shape
    assert one.shape == Shape("only_the_holder_finishes", "complete", NOT_HELD)
    assert len(one.events) < len(other.events)


def test_another_operation_is_another_shape(open_lane: OpenLane) -> None:
    with open_lane("done_overwritten_by_failed") as lane:
        failure = play(lane, MINIMAL["done_overwritten_by_failed"]).failure
    assert failure is not None
    assert (failure.shape.invariant, failure.shape.operation) == ("terminal_jobs_never_change", "fail")


def test_what_a_drain_leaves_behind_is_told_by_its_status(open_lane: OpenLane) -> None:
    with open_lane("running_jobs_skipped_at_receive") as lane:
        failure = play(lane, MINIMAL["running_jobs_skipped_at_receive"], drained=True).failure
    assert failure is not None
    assert failure.shape == Shape("every_job_ends", "drain", "RUNNING")
    assert str(failure.shape) == "drain: RUNNING"


def test_a_fault_belongs_to_the_shape(open_lane: OpenLane) -> None:
    with open_lane("finish_error_logged_and_forgotten") as lane:
        failure = play(lane, MINIMAL["finish_error_logged_and_forgotten"]).failure
    assert failure is not None
    assert failure.shape.fault
    assert str(failure.shape).endswith(f"; {failure.shape.fault}")


def test_a_step_that_lets_an_operation_go_on_is_of_that_operation() -> None:
    # It was called three steps earlier, by somebody else than who was called last.
    events = [
        *created(1),
        StepBegan(0, 2, "prepare", {"worker": "A", "stepwise": True}),
        invoked(2, "prepare"),
        *call(3, "complete", "stray", attempt=7, answer=NO),
        StepBegan(0, 4, "proceed", {"by": "A", "statement": "COMMIT"}),
        StatementBegan(0, 2, "COMMIT"),
        committed(2),
        observed(2, running()),
    ]
    ledger = Ledger(OURS)
    for event in events:
        ledger.apply(event)
    seen = Violation("running_means_leased", "j1", 4, 0, "it is not", ())
    assert shape_of(ledger, events, seen) == Shape(seen.invariant, "prepare", "PENDING")
