"""The gate report's own rule loses a job: the history on the README's first screen, to its bitter end.

The invariants stop a run at the deletion.  Here those that speak earlier are left out, to see what
becomes of the job when the holder dies.
"""

from __future__ import annotations

import pytest

from statemachine.world.example import Example
from statemachine.world.operations import perform
from statemachine.world.operations.drain import drain
from tests.conftest import OpenLane
from tests.support.scripts import MINIMAL, script

HOLDER_DIES = script(("kill_worker", {"worker": "A"}))[0]._replace(key=8)
SPEAK_EARLIER = {"messages_outlive_unfinished_jobs", "no_job_is_stranded"}


@pytest.fixture
def lost_job(open_lane: OpenLane) -> Example:
    with open_lane("refused_delivery_deletes_message") as lane:
        lane.claims = [claim for claim in lane.claims if claim.name not in SPEAK_EARLIER]
        example = lane.begin()
        for step in (*MINIMAL["refused_delivery_deletes_message"], HOLDER_DIES):
            perform(example, step.operation, step.arguments, key=step.key)
        drain(example)
        return example


def test_the_job_stays_running_for_ever(lost_job: Example) -> None:
    headline = lost_job.judge.headline()
    assert headline is not None
    assert headline.invariant == "every_job_ends"
    assert headline.story == (
        "j1 never ends: j1 is RUNNING, lease expired, 0 messages, nothing enabled changes it."
    )


def test_all_other_claims_that_fire_speak_of_the_same_loss(lost_job: Example) -> None:
    assert {seen.invariant for seen in lost_job.judge.violations} == {
        "every_job_ends",
        "a_killed_job_is_reprocessed_once",
    }


def test_with_the_change_the_job_is_taken_over_and_ends(open_lane: OpenLane) -> None:
    with open_lane() as lane:
        example = lane.begin()
        for step in MINIMAL["refused_delivery_deletes_message"][:-1]:
            perform(example, step.operation, step.arguments, key=step.key)
        assert example.workers["B"].next_step is None, "the refused message must be left alone"
        perform(example, "kill_worker", {"worker": "A"})
        drain(example)
        assert example.judge.violations == []
        assert example.ledger.rows["j1"].status == "DONE"
        assert example.ledger.rows["j1"].attempt == 2
