"""The fixture of a plain test: it fails on the defect, and a pass that shows nothing is refused."""

from __future__ import annotations

import pytest

from statemachine.binding import DEFAULT_BINDING
from statemachine.history.events import ClockMoved, StepBegan
from statemachine.history.ledger import Ledger
from statemachine.invariants import ALL
from statemachine.invariants.claim import Judgements, invariant
from statemachine.report.leased_jobs import LeasedJobs, Misused
from statemachine.search.triage.script import Step, in_drain, play
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.support.scripts import MINIMAL

REFUSED = "refused_delivery_deletes_message"


@pytest.fixture
def jobs(lane: Lane) -> LeasedJobs:
    return LeasedJobs(lane, DEFAULT_BINDING)


def play_all(jobs: LeasedJobs, steps: list[Step]) -> None:
    for step in steps:
        jobs.play(step.operation, **step.arguments)


@pytest.mark.parametrize("defect", sorted(MINIMAL))
def test_it_fails_on_the_defect_with_the_events_of_the_failure(defect: str, open_lane: OpenLane) -> None:
    steps = list(MINIMAL[defect])
    with open_lane(defect) as lane:
        failure = play(lane, steps, drained=True).failure
        assert failure is not None
        jobs = LeasedJobs(lane, DEFAULT_BINDING)
        play_all(jobs, steps)
        if in_drain(failure):
            jobs.drain()
        assert lane.example.events == list(failure.events)
        with pytest.raises(AssertionError) as error:
            jobs.check(failure.headline.invariant)
    first, *rest = str(error.value).splitlines()
    assert first == f"{failure.headline.invariant}: {failure.headline.story}"
    assert any(line.startswith("  ✗") for line in rest)
    assert any("expected" in line and "actual" in line for line in rest)
    assert [line for line in rest if len(line) > 100] == []


@pytest.mark.parametrize("defect", sorted(MINIMAL))
def test_it_passes_on_the_correct_system(defect: str, jobs: LeasedJobs) -> None:
    play_all(jobs, list(MINIMAL[defect]))
    assert jobs.unjudged
    jobs.check()
    assert not jobs.unjudged


def test_what_comes_after_the_violation_is_not_played(open_lane: OpenLane) -> None:
    with open_lane(REFUSED) as lane:
        jobs = LeasedJobs(lane, DEFAULT_BINDING)
        play_all(jobs, list(MINIMAL[REFUSED]))
        played = len(lane.example.events)
        jobs.play("kill_worker", worker="A")
        jobs.drain()
        assert len(lane.example.events) == played


def test_what_only_a_drain_proves_needs_the_drain(open_lane: OpenLane) -> None:
    steps = [*MINIMAL[REFUSED], Step(8, "kill_worker", {"worker": "A"})]
    with open_lane(REFUSED) as lane:
        lane.claims = [claim for claim in ALL if claim.name == "every_job_ends"]
        jobs = LeasedJobs(lane, DEFAULT_BINDING)
        play_all(jobs, steps)
        jobs.check("every_job_ends")
        jobs.drain()
        assert jobs.unjudged
        with pytest.raises(AssertionError, match="every_job_ends: j1 never ends"):
            jobs.check("every_job_ends")


def test_with_a_drain_a_step_may_be_left_out(jobs: LeasedJobs) -> None:
    # Step 7, the deletion, is not possible on the correct system; how all ends is judged all the same.
    play_all(jobs, [*MINIMAL[REFUSED], Step(8, "kill_worker", {"worker": "A"})])
    jobs.drain()
    jobs.check("every_job_ends")


def test_steps_are_numbered_and_the_number_can_be_set(lane: Lane, jobs: LeasedJobs) -> None:
    jobs.play("create", step=4, job="j4", tenant="t1")
    jobs.play("publish", job="j4")
    jobs.play("receive", worker="A", message="m5")
    jobs.check()
    assert [event.step for event in lane.example.events if isinstance(event, StepBegan)] == [4, 5, 6]


def test_a_step_that_is_left_out_before_the_last_is_no_pass(jobs: LeasedJobs) -> None:
    jobs.play("create", job="j1", tenant="t1")
    jobs.play("complete", worker="A")
    jobs.play("wait", seconds=1)
    with pytest.raises(AssertionError) as error:
        jobs.check()
    assert str(error.value).startswith(
        "this test shows nothing any more: step 2 (complete) is not possible: worker A's next step is"
    )


def test_a_claim_that_breaks_after_a_step_was_left_out_is_reported_first(open_lane: OpenLane) -> None:
    with open_lane(REFUSED) as lane:
        jobs = LeasedJobs(lane, DEFAULT_BINDING)
        steps = list(MINIMAL[REFUSED])
        play_all(jobs, [*steps[:4], Step(0, "fail", {"worker": "C"}), *steps[4:]])
        with pytest.raises(AssertionError, match=r"^messages_outlive_unfinished_jobs"):
            jobs.check()


@invariant(ClockMoved, section="none")
def time_stands_still(ledger: Ledger, event: ClockMoved) -> Judgements:
    """No claim of ours: it cannot judge."""
    raise ZeroDivisionError("no time")
    yield


def test_a_crashed_invariant_is_no_pass(lane: Lane) -> None:
    lane.claims = [time_stands_still]
    jobs = LeasedJobs(lane, DEFAULT_BINDING)
    jobs.play("wait", seconds=1)
    with pytest.raises(AssertionError, match="time_stands_still could not judge: it crashed with ZeroDiv"):
        jobs.check()


MISUSED = {
    "no_such_operation": (("frobnicate", {}), "there is no operation frobnicate; there are "),
    "no_such_argument": (("create", {"jobb": "j1"}), "create does not take"),
    "no_such_worker": (("prepare", {"worker": "Q"}), "there is no worker Q; there are A, B, C"),
    "no_such_fault": (("publish", {"job": "j1", "fault": "flood"}), "there is no fault flood; there are "),
    "no_such_deadline": (("advance_to", {"deadline": "tea", "of": "j1"}), "there is no deadline tea; there"),
}


@pytest.mark.parametrize(("step", "message"), MISUSED.values(), ids=MISUSED)
def test_a_misspelt_step_is_an_error_and_not_left_out(
    step: tuple[str, dict[str, str]], message: str, jobs: LeasedJobs
) -> None:
    jobs.play("create", job="j1", tenant="t1")
    with pytest.raises(Misused) as error:
        jobs.play(step[0], **step[1])
    assert str(error.value).startswith(f"step 2 ({step[0]}): {message}")
    assert not jobs.unjudged, "one error is enough"


def test_the_first_step_must_be_possible(jobs: LeasedJobs) -> None:
    with pytest.raises(Misused, match=r"step 1 \(publish\), the first one, is not possible"):
        jobs.play("publish", job="j1")


def test_a_check_without_any_step_is_refused(jobs: LeasedJobs) -> None:
    with pytest.raises(Misused, match="no step was played"):
        jobs.check()


def test_another_binding_is_refused_and_both_are_named(jobs: LeasedJobs) -> None:
    jobs.expect_binding(DEFAULT_BINDING)
    with pytest.raises(Misused, match=f"theirs:Binding.*{DEFAULT_BINDING}"):
        jobs.expect_binding("theirs:Binding")


def test_a_claim_that_is_not_judged_is_no_pass(lane: Lane) -> None:
    lane.claims = [claim for claim in ALL if claim.name != "every_job_ends"]
    jobs = LeasedJobs(lane, DEFAULT_BINDING)
    jobs.play("create", job="j1", tenant="t1")
    with pytest.raises(Misused, match="waives every_job_ends"):
        jobs.check("every_job_ends")
    with pytest.raises(Misused, match="there is no invariant all_is_well"):
        jobs.check("all_is_well")
