"""What makes two failing histories one finding: the failing step, and nothing that came before it."""

from __future__ import annotations

from statemachine.history.events import StatementBegan, StepBegan
from statemachine.history.ledger import Ledger
from statemachine.invariants import Violation
from statemachine.search.triage.script import Step, play
from statemachine.search.triage.signature import Signature, signature_of
from tests.conftest import OpenLane
from tests.support.events import NO, OURS, call, committed, created, invoked, observed, running
from tests.support.scripts import MINIMAL

NOT_HELD = "superseded, or attempt never given"


def test_one_defect_reached_in_two_ways_has_one_signature(open_lane: OpenLane) -> None:
    late = [*MINIMAL["completion_without_token"]]
    with open_lane("completion_without_token") as lane:
        one = play(lane, late).failure
        other = play(lane, [*late[:-1], Step(50, "wait", {"seconds": 1}), late[-1]]).failure
    assert one is not None
    assert other is not None
    assert one.signature == other.signature
    assert one.signature == Signature(
        "only_the_holder_finishes", "complete", NOT_HELD, actor="worker", status="DONE"
    )
    assert len(one.events) < len(other.events)


def test_another_operation_has_another_signature(open_lane: OpenLane) -> None:
    with open_lane("done_overwritten_by_failed") as lane:
        failure = play(lane, MINIMAL["done_overwritten_by_failed"]).failure
    assert failure is not None
    assert (failure.signature.invariant, failure.signature.operation) == (
        "terminal_jobs_never_change",
        "fail",
    )


def test_after_a_drain_the_signature_has_the_status_of_the_job(open_lane: OpenLane) -> None:
    with open_lane("running_jobs_skipped_at_receive") as lane:
        failure = play(lane, MINIMAL["running_jobs_skipped_at_receive"], drained=True).failure
    assert failure is not None
    assert failure.signature == Signature("every_job_ends", "drain", actor="worker", status="RUNNING")
    assert str(failure.signature) == "drain: job RUNNING, changed last by a worker"


def test_the_fault_is_part_of_the_signature(open_lane: OpenLane) -> None:
    with open_lane("finish_error_logged_and_forgotten") as lane:
        failure = play(lane, MINIMAL["finish_error_logged_and_forgotten"]).failure
    assert failure is not None
    assert failure.signature.fault
    assert str(failure.signature).endswith(f"; {failure.signature.fault}")


def test_who_acted_and_what_became_of_the_job_are_part_of_the_signature() -> None:
    worker = Signature("every_job_ends", "drain", actor="worker", status="RUNNING")
    assert worker != worker._replace(actor="sweep")
    assert worker != worker._replace(status="no row")
    assert str(worker._replace(status="no row")) == "drain: job without a row, changed last by a worker"


def test_a_job_of_another_tenant_does_not_exist_for_the_call(open_lane: OpenLane) -> None:
    steps = [
        Step(1, "create", {"job": "j1", "tenant": "t2"}),
        Step(2, "forge", {"job": "j1", "tenant": "t1"}),
        Step(3, "receive", {"worker": "A", "message": "m2"}),
        Step(4, "prepare", {"worker": "A"}),
        Step(5, "acknowledge", {"worker": "A"}),
    ]
    with open_lane("unknown_jobs_message_deleted") as lane:
        failure = play(lane, steps).failure
    assert failure is not None
    assert failure.signature.status == "another tenant's"
    assert str(failure.signature).endswith("another tenant's job")


def test_a_shrink_may_leave_a_stray_but_never_turn_to_one_nor_to_another_loss() -> None:
    worker = Signature("every_job_ends", "drain", actor="worker", status="RUNNING")
    stray = worker._replace(actor="stray", operation="mark_running")
    assert worker.is_kept_by(worker._replace(operation="prepare", situation="PENDING"))
    assert stray.is_kept_by(worker)
    assert not worker.is_kept_by(stray)
    assert not worker.is_kept_by(worker._replace(actor="sweep"))
    assert not worker.is_kept_by(worker._replace(status="PENDING"))
    assert not worker.is_kept_by(worker._replace(invariant="one_holder_at_a_time"))
    prepare = worker._replace(operation="prepare")
    assert prepare.is_kept_by(prepare._replace(status="PENDING"))
    assert not prepare.is_kept_by(prepare._replace(status="no row"))
    assert prepare._replace(status="another tenant's").is_kept_by(prepare._replace(status="no row"))


def test_a_step_that_resumes_an_operation_has_the_signature_of_that_operation() -> None:
    # It was called three steps earlier, by another worker than the last call.
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
    assert signature_of(ledger, events, seen) == Signature(
        seen.invariant, "prepare", "PENDING", actor="worker", status="RUNNING"
    )
