"""The why of a failure: every line is what a re-run did, the same each time, and not too many of them.

What is expected is written out by hand from the defect: where its edge lies and which steps it needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from statemachine.invariants import ALL
from statemachine.report.text.why import TITLE, why_lines
from statemachine.search.triage.explain import (
    Apart,
    OtherTenant,
    Rerun,
    Result,
    SameSteps,
    Until,
    Why,
    Without,
    WithoutFault,
    explain,
)
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, play
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.support.scripts import MINIMAL, script

IN_GENERAL = {
    "refused_delivery_deletes_message": [
        "without one of steps 1-3, 5   not possible: worker B's next step is to receive, not acknowledge",
        "without step 4                not possible: worker B's next step is finish, not acknowledge",
        "without step 6                not possible: worker B's next step is prepare, not acknowledge",
        "with 1 s between the steps    FAILS",
    ],
    # A's late completion is legal until B holds the lease, which it can from the visibility edge on.
    "completion_without_token": [
        "without one of steps 1-3      not possible: worker A's next step is to receive, not finish",
        "without step 4                not possible: worker A's next step is prepare, not finish",
        "without one of steps 5-7      passes",
        "step 5 until 3599             passes",
        "step 5 until 3600, 3601       FAILS (3600 is the visibility edge)",
    ],
    # The defect is one second wide.
    "lease_edge_excluded": [
        "without one of steps 1-3, 5   not possible: worker B's next step is to receive, not prepare",
        "without one of steps 4, 6     passes",
        "step 6 until 3539, 3541       passes",
        "step 6 until 3540             FAILS (3540 is the lease edge)",
    ],
    "done_overwritten_by_failed": [
        "step 5 without answer lost    not possible: worker A's next step is acknowledge, not finish",
        "without one of steps 1-3      not possible: worker A's next step is to receive, not finish",
        "without step 4                not possible: worker A's next step is prepare, not finish",
        "without step 5                passes",
        "with 1 s between the steps    FAILS",
    ],
}

REFUSED = "refused_delivery_deletes_message"


def failure_of(lane: Lane, steps: Sequence[Step], drained: bool = False) -> Failure:
    failure = play(lane, steps, drained=drained).failure
    assert failure is not None
    return failure


def lines(why: Why) -> list[str]:
    title, *rest = why_lines(why)
    assert title == f"  {TITLE}"
    assert [line for line in rest if len(line) > 100] == []
    return [line.removeprefix("    ") for line in rest]


@pytest.mark.parametrize("defect", IN_GENERAL)
def test_the_lines_name_the_steps_and_seconds_that_matter(defect: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        why = explain(lane, failure_of(lane, MINIMAL[defect]))
    assert lines(why) == IN_GENERAL[defect]


def test_each_step_and_each_second_is_one_rerun(open_lane: OpenLane) -> None:
    with open_lane("lease_edge_excluded") as lane:
        why = explain(lane, failure_of(lane, MINIMAL["lease_edge_excluded"]))
    assert why.reruns[0] == Rerun(SameSteps(), Result.FAILS)
    results = {rerun.change: rerun.result for rerun in why.reruns[1:]}
    assert results == {
        Until(6, 3539): Result.PASSES,
        Until(6, 3541): Result.PASSES,
        **{Without(step): Result.NOT_POSSIBLE for step in (1, 2, 3, 5)},
        **{Without(step): Result.PASSES for step in (4, 6)},
        OtherTenant("t1", "t2"): Result.FAILS,
    }
    assert why.moves == (Until(6, 3540, "lease"),)
    assert why.wanted == len(why.reruns) == 10


@pytest.mark.parametrize("defect", sorted(MINIMAL))
def test_explaining_is_deterministic(defect: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        failure = failure_of(lane, MINIMAL[defect], drained=True)
        assert explain(lane, failure) == explain(lane, failure)


def test_a_needless_step_fails_without_it(open_lane: OpenLane) -> None:
    steps = script(
        *[(step.operation, step.arguments) for step in MINIMAL[REFUSED][:6]], ("wait", {"seconds": 2})
    )
    steps.append(MINIMAL[REFUSED][6]._replace(key=8))
    with open_lane(REFUSED) as lane:
        shown = lines(explain(lane, failure_of(lane, steps)))
    assert "without step 7                FAILS" in shown
    assert "step 7 until 1, 2, 3          FAILS" in shown


def test_a_wait_of_one_second_is_dropped_and_not_shortened(open_lane: OpenLane) -> None:
    steps = [Step(1, "wait", {"seconds": 1}), *(step._replace(key=step.key + 1) for step in MINIMAL[REFUSED])]
    steps = [
        step._replace(
            arguments={
                name: "j2" if name == "job" else "m3" if name == "message" else value
                for name, value in step.arguments.items()
            }
        )
        for step in steps
    ]
    with open_lane(REFUSED) as lane:
        why = explain(lane, failure_of(lane, steps))
    assert [rerun.change for rerun in why.reruns if isinstance(rerun.change, Until)] == [Until(1, 2)]


def test_an_impossible_move_of_time_is_not_a_pass(open_lane: OpenLane) -> None:
    # One second before the deadline is where the wait has already led: time cannot move there.
    steps = script(
        *[(step.operation, step.arguments) for step in MINIMAL["lease_edge_excluded"][:5]],
        ("wait", {"seconds": 3539}),
        ("advance_to", {"deadline": "lease", "of": "j1"}),
        ("prepare", {"worker": "B"}),
    )
    with open_lane("lease_edge_excluded") as lane:
        why = explain(lane, failure_of(lane, steps))
    earlier = next(rerun for rerun in why.reruns if rerun.change == Until(7, 3539))
    assert earlier.result is Result.NOT_POSSIBLE
    assert "is not ahead of 3539" in earlier.detail


def test_another_invariant_is_named(open_lane: OpenLane) -> None:
    # Without the claims that speak earlier a RUNNING job that is entered again breaks the table of answers.
    with open_lane("running_job_reentered") as lane:
        speaks = {"one_holder_at_a_time", "operations_answer_by_the_table"}
        lane.claims = [claim for claim in ALL if claim.name in speaks]
        failure = failure_of(lane, MINIMAL["running_job_reentered"])
        lane.claims = [claim for claim in lane.claims if claim.name != failure.headline.invariant]
        why = explain(lane, failure)
    assert why.reruns == (Rerun(SameSteps(), Result.OTHER, "operations_answer_by_the_table"),)
    assert lines(why) == ["the same steps again          breaks operations_answer_by_the_table instead"]


def test_a_failure_that_does_not_repeat_is_not_explained(open_lane: OpenLane) -> None:
    with open_lane(REFUSED) as lane:
        failure = failure_of(lane, MINIMAL[REFUSED][:6] + MINIMAL[REFUSED][6:])
    with open_lane() as lane:
        why = explain(lane, failure)
    assert not why.repeats
    assert why.wanted == 1
    assert lines(why) == [
        "the same steps again          not possible: worker B's next step is to receive, not acknowledge"
    ]


def test_a_failure_that_only_the_drain_proves_is_drained_each_time(open_lane: OpenLane) -> None:
    with open_lane(REFUSED) as lane:
        lane.claims = [claim for claim in ALL if claim.name == "every_job_ends"]
        steps = [*MINIMAL[REFUSED], Step(8, "kill_worker", {"worker": "A"})]
        shown = lines(explain(lane, failure_of(lane, steps, drained=True)))
    # The drain has the refused delivery end by itself; what must be given is a holder that dies.
    assert shown == [
        "without one of steps 1-5, 8   passes",
        "without one of steps 6-7      FAILS",
        "with 1 s between the steps    FAILS",
    ]


def test_the_lines_say_how_many_reruns_were_left_out(open_lane: OpenLane) -> None:
    with open_lane("lease_edge_excluded") as lane:
        failure = failure_of(lane, MINIMAL["lease_edge_excluded"])
        # 7 steps again, 7 of them at 3539 and at 3541: the budget ends with the third re-run.
        why = explain(lane, failure, budget=20)
    assert [rerun.change for rerun in why.reruns] == [SameSteps(), Until(6, 3539), Until(6, 3541)]
    assert lines(why) == [
        "step 6 until 3539, 3541       passes",
        "step 6 until 3540             FAILS (3540 is the lease edge)",
        "3 of 10 re-runs were made; the others were left out to save time",
    ]


def test_a_fault_is_left_out_while_its_step_is_played_and_tenants_are_exchanged(open_lane: OpenLane) -> None:
    with open_lane("sweep_of_one_tenant") as lane:
        found = failure_of(lane, MINIMAL["sweep_of_one_tenant"], drained=True)
        results = {type(rerun.change): rerun.result for rerun in explain(lane, found).reruns}
    assert results[OtherTenant] in (Result.PASSES, Result.OTHER)
    with open_lane("finish_error_logged_and_forgotten") as lane:
        why = explain(lane, failure_of(lane, MINIMAL["finish_error_logged_and_forgotten"], drained=True))
    (rerun,) = [rerun for rerun in why.reruns if isinstance(rerun.change, WithoutFault)]
    assert rerun.result is not Result.FAILS
    assert any(line.startswith(f"step {rerun.change.step} without error before") for line in lines(why))


def test_idle_moves_of_time_are_one_line_and_untried_ones_none() -> None:
    moves = tuple(Until(step, step) for step in range(1, 30))
    off = [Rerun(Until(step, step + 1), Result.FAILS) for step in range(1, 20)]
    edge = [Rerun(Until(20, 19), Result.PASSES), Rerun(Until(20, 21, "lease"), Result.FAILS)]
    shown = lines(Why((Rerun(SameSteps(), Result.FAILS), *off, *edge), 80, moves))
    assert shown == [
        "one of steps 1-19 up to 1 s off  FAILS",
        "step 20 until 19                 passes",
        "step 20 until 20, 21             FAILS (21 is the lease edge)",
        "22 of 80 re-runs were made; the others were left out to save time",
    ]


def test_a_long_failure_stays_a_handful_of_lines() -> None:
    reasons = ("there is no job j1", "there is no message m2", "worker A is not idle", "j1 has no row")
    reruns = [Rerun(SameSteps(), Result.FAILS), Rerun(Apart(1), Result.FAILS)]
    reruns += [Rerun(Without(step), Result.NOT_POSSIBLE, reasons[step // 2 % 4]) for step in range(1, 50, 2)]
    reruns += [Rerun(Without(step), Result.PASSES) for step in range(2, 50, 2)]
    shown = lines(Why(tuple(reruns), len(reruns)))
    assert len(shown) <= 7
    assert shown[-1] == "with 1 s between the steps                      FAILS"
