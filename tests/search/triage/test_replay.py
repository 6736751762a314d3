"""A saved failure is played again from its named steps alone, and the three outcomes are distinguished."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.db import IntegrityError

from models_under_test.binding import AIJobsBinding
from models_under_test.defects.minimal.steps import (
    A_PREPARES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    CREATE,
)
from statemachine.history import ndjson
from statemachine.history.ndjson import Header
from statemachine.report.text.replay import replay_reason
from statemachine.search.triage.replay import Replayed, ReplayError, ReplayOutcome, replay
from statemachine.search.triage.script import Step
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.defects.test_planted import DEFECTS, play, shown
from tests.support.scripts import MINIMAL, script

BINDING = "models_under_test.binding:AIJobsBinding"


def saved(lane: Lane, defect: str, steps: Sequence[Step] = ()) -> str:
    failure = shown(lane, list(steps or MINIMAL[defect]))
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
            assert again.outcome is ReplayOutcome.REPRODUCED, replay_reason(again)
            assert ndjson.dumps(Header(BINDING, lane.binding.lifecycle, 1, defect), again.events) == text
    with open_lane() as lane:
        assert replayed(lane, text).outcome is ReplayOutcome.FIXED


WITH_MORE_THAN_A_NAME: dict[str, Sequence[Step]] = {
    # Worker B is 20 s ahead, so it is 20 s before the edge that it asks at the edge.
    "lease_edge_excluded": script(
        *A_WORKS,
        B_GETS_A_DUPLICATE,
        ("skew_clock", {"worker": "B", "seconds": 20}),
        ("advance_to", {"deadline": "lease", "of": "j1", "offset": -20}),
        B_PREPARES,
    ),
    # The sweep sends j1 and marks it, sends j2, and dies before it has marked that.
    "running_job_reentered": script(
        CREATE,
        ("create", {"job": "j2", "tenant": "t2"}),
        ("kill_publisher", {"job": "j1"}),
        ("kill_publisher", {"job": "j2"}),
        ("advance_to", {"deadline": "recovery", "of": "j2", "offset": 1}),
        ("recover", {"fault": "kill_after_port_call", "at": 2}),
        ("receive", {"worker": "A", "message": "m6.2"}),
        A_PREPARES,
        ("duplicate", {"worker": "B", "message": "m6.2"}),
        B_PREPARES,
    ),
}


@pytest.mark.parametrize("defect", WITH_MORE_THAN_A_NAME)
def test_wrong_clocks_and_later_places_of_faults_are_played_again(defect: str, open_lane: OpenLane) -> None:
    steps = WITH_MORE_THAN_A_NAME[defect]
    with open_lane(defect) as lane:
        text = saved(lane, defect, steps)
        again = replayed(lane, text)
        assert again.outcome is ReplayOutcome.REPRODUCED, replay_reason(again)
        assert ndjson.dumps(Header(BINDING, lane.binding.lifecycle, 1, defect), again.events) == text
    with open_lane() as lane:
        assert replayed(lane, text).outcome is ReplayOutcome.FIXED
        place = '"at": 2}' if '"at": 2}' in text else '"seconds": 20}'
        moved = text.replace(place, place.replace("20", "10").replace(" 2}", " 1}"), 1)
        assert moved != text
        assert replayed(lane, moved).outcome is ReplayOutcome.DIVERGED, "what the step says is what is played"


def test_diverged_when_an_earlier_step_behaves_differently(open_lane: OpenLane) -> None:
    with open_lane("completion_without_token") as lane:
        text = saved(lane, "completion_without_token")
    with open_lane("lease_edge_excluded") as lane:
        # Its takeover comes after the edge, so this defect makes no difference before the last step.
        assert replayed(lane, text).outcome is ReplayOutcome.FIXED
    with open_lane("running_job_reentered") as lane:
        assert replayed(lane, text).outcome is ReplayOutcome.FIXED
    with open_lane("lease_as_long_as_visibility") as lane:
        played = replayed(lane, text)
        assert played.outcome is ReplayOutcome.DIVERGED
        assert replay_reason(played).startswith("at step 4 (prepare): expected only_the_holder_finishes")


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


class NamesRowsAnew(AIJobsBinding):
    """Its errors name rows by keys of its own, which differ from one run to the next."""

    word = "taken"

    def create(self, job: str, tenant: str) -> None:
        try:
            super().create(job, tenant)
        except IntegrityError:
            raise IntegrityError(f"row {uuid5(NAMESPACE_URL, job)} is {self.word}") from None


def test_keys_in_the_text_of_an_error_are_no_difference_and_words_are(transactional_db: None) -> None:
    defect = "completion_without_token"
    first, *others = MINIMAL[defect]
    again = Step(50, "create_again", {"job": "j1", "tenant": "t1"})
    binding = NamesRowsAnew()
    binding.plant(defect)
    lane = Lane(binding)
    with lane.open():
        text = saved(lane, defect, [first, again, *others])
        assert replayed(lane, text).outcome is ReplayOutcome.REPRODUCED
        binding.word = "gone"
        assert replayed(lane, text).outcome is ReplayOutcome.DIVERGED
