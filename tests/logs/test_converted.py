"""No false alarm: what the embedded machine plays on the correct system judges clean as a log, however late
its lines are; and a planted defect that the machine shows is still seen in the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_under_test.binding import AIJobsBinding
from models_under_test.variants import (
    FailureEndsInDone,
    LateCompletionRefused,
    NothingOptional,
    ReviewRequired,
    Unfenced,
)
from statemachine.binding import Binding
from statemachine.history.events import Event
from statemachine.invariants import IN_LOGS
from statemachine.logs import JudgedLog, judge_lines
from statemachine.logs.judging import REQUIRED
from statemachine.search.control import SearchControl
from statemachine.search.engine import search, sized
from statemachine.search.run import Run
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.logs.converted import as_log
from tests.logs.writing import read

EXAMPLES = 300
SEED = 3

History = Sequence[Event]


class Recording(Run):
    """Keeps the histories of its examples."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(lane)
        self.histories: list[History] = []

    def end_example(self, example: Example) -> None:
        super().end_example(example)
        self.histories.append(tuple(example.events))


def play(lane: Lane, examples: int = EXAMPLES) -> list[History]:
    """The histories of a search; of one that fails, the minimised failure comes last."""
    run = Recording(lane)
    search(SearchControl(run), SEED, sized(examples))
    return [*run.histories, *([run.failure.events] if run.failure else [])]


def judged_as_log(binding: Binding, events: History, random: Random, most_delay: float) -> JudgedLog:
    lines = read(as_log(binding.lifecycle, events, random, most_delay))
    return judge_lines(binding.lifecycle, lines, [c for c in IN_LOGS if c.name not in binding.waived])


def never_alarmed(binding: Binding, histories: list[History], examples: int) -> Counter[str]:
    """Judge random histories with random delays; returns what was judged, and how often."""
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.integers(0, len(histories) - 1), st.randoms(use_true_random=False), st.sampled_from((0, 2, 9, 40))
    )
    def is_clean(place: int, random: Random, milliseconds: int) -> None:
        result = judged_as_log(binding, histories[place], random, milliseconds / 1000)
        assert [cited.violation.story for cited in result.violations] == []
        assert (result.counts["unexplained"], result.counts["tangled"], result.crashed) == (0, 0, [])
        seen.update(result.judged)
        seen["effects"] += result.counts["effects without an answer"]

    is_clean()
    return seen


def test_correct_histories_are_clean_as_logs(lane: Lane) -> None:
    seen = never_alarmed(lane.binding, play(lane), EXAMPLES)
    assert all(seen[name] for name in (*REQUIRED, "rows_match_the_answers", "every_job_ends", "effects"))


@pytest.mark.parametrize(
    "variant", [LateCompletionRefused, Unfenced, ReviewRequired, FailureEndsInDone, NothingOptional]
)
def test_sound_systems_of_other_lifecycles_are_clean(
    variant: type[AIJobsBinding], transactional_db: None
) -> None:
    lane = Lane(variant())
    with lane.open():
        histories = play(lane, 60)
    assert never_alarmed(lane.binding, histories, 60)["operations_answer_by_the_table"]


PLANTED = {
    "refused_delivery_deletes_message": "messages_outlive_unfinished_jobs",
    "completion_without_token": "only_the_holder_finishes",
    "running_job_reentered": "one_holder_at_a_time",
    "takeover_one_second_early": "one_holder_at_a_time",
    "lease_edge_excluded": "an_expired_lease_can_be_taken_over",
    "lease_kept_at_takeover": "a_lease_lasts_its_declared_length",
    "done_overwritten_by_failed": "terminal_jobs_never_change",
    "attempt_reset_by_release": "rows_match_the_answers",
    "tenant_ignored_by_mark_running": "tenants_never_mix",
    "superseded_finish_deletes_message": "messages_outlive_unfinished_jobs",
}


@pytest.mark.parametrize(("defect", "claim"), PLANTED.items(), ids=PLANTED)
def test_a_planted_defect_is_seen_in_the_log(defect: str, claim: str, open_lane: OpenLane) -> None:
    # 2000 examples find each of them on every seed of the certificate.
    with open_lane(defect) as lane:
        shown = play(lane, examples=2000)[-1]
        result = judged_as_log(lane.binding, shown, Random(1), 0)
    assert result.headline is not None
    assert result.headline.violation.invariant == claim
