"""A saved failure is played again from its named steps alone, and the three outcomes are told apart."""

from __future__ import annotations

import pytest

from statemachine import ndjson
from statemachine.example import Lane
from statemachine.ndjson import Header
from statemachine.replay import Outcome, Replayed, ReplayError, replay
from statemachine.run import Failure
from tests.conftest import OpenLane
from tests.planted.scripts import MINIMAL
from tests.planted.test_planted import DEFECTS, play, seen_in_drain

BINDING = "models_under_test.binding:AIJobsBinding"


def saved(lane: Lane, defect: str) -> str:
    failure = Failure.of(play(lane, list(MINIMAL[defect]), seen_in_drain(defect)))
    assert failure is not None
    return ndjson.dumps(Header(BINDING, lane.binding.lifecycle, 1, defect), failure.events)


def replayed(lane: Lane, text: str) -> Replayed:
    return replay(lane, *ndjson.loads(text, "history.ndjson"))


@pytest.mark.parametrize("defect", DEFECTS)
def test_reproduced_on_the_defect_and_fixed_on_the_correct_system(defect: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        text = saved(lane, defect)
        for _ in range(5):
            again = replayed(lane, text)
            assert again.outcome is Outcome.REPRODUCED, again.reason
            assert ndjson.dumps(Header(BINDING, lane.binding.lifecycle, 1, defect), again.events) == text
    with open_lane() as lane:
        assert replayed(lane, text).outcome is Outcome.FIXED


def test_diverged_when_an_earlier_step_goes_otherwise(open_lane: OpenLane) -> None:
    with open_lane("completion_without_token") as lane:
        text = saved(lane, "completion_without_token")
    with open_lane("lease_edge_excluded") as lane:
        # Its takeover comes after the edge, so this defect makes no difference before the last step.
        assert replayed(lane, text).outcome is Outcome.FIXED
    with open_lane("running_job_reentered") as lane:
        assert replayed(lane, text).outcome is Outcome.FIXED
    with open_lane("lease_as_long_as_visibility") as lane:
        played = replayed(lane, text)
        assert played.outcome is Outcome.DIVERGED
        assert played.reason.startswith("at step 4 (prepare): expected only_the_holder_finishes")


def test_a_history_under_another_lifecycle_is_refused(open_lane: OpenLane) -> None:
    with open_lane("lease_edge_excluded") as lane:
        text = saved(lane, "lease_edge_excluded").replace('"max_receives": 3', '"max_receives": 5')
        with pytest.raises(ReplayError, match="max_receives 5 and not 3"):
            replayed(lane, text)


def test_a_history_that_breaks_nothing_is_refused(open_lane: OpenLane) -> None:
    with open_lane() as lane:
        example = play(lane, list(MINIMAL["lease_edge_excluded"]))
        text = ndjson.dumps(Header(BINDING, lane.binding.lifecycle), example.events)
        with pytest.raises(ReplayError, match="no failure to reproduce"):
            replayed(lane, text)
