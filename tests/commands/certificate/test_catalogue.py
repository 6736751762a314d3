"""What is expected of a defect is read from its story; a mistake in a story gets a sentence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from models_under_test.binding import AIJobsBinding
from models_under_test.defects import STORIES
from statemachine.binding import Binding, BindingError
from statemachine.commands.certificate.catalogue import EMBEDDED, Planted, catalogue


def catalogue_of(story: str, **attributes: Any) -> list[Planted]:
    return catalogue(cast(Binding, SimpleNamespace(defects={"late": story}, **attributes)))


def test_every_bundled_defect_names_its_invariant_and_has_a_history_by_hand() -> None:
    planted = catalogue(AIJobsBinding())
    assert [one.name for one in planted] == sorted(STORIES)
    assert [one.name for one in planted if one.lane == EMBEDDED and not one.by_hand] == []


def test_a_strangers_defect_needs_no_history() -> None:
    assert catalogue_of("Caught by `every_job_ends`.") == [Planted("late", "every_job_ends")]


def test_a_defect_of_another_lane_says_so() -> None:
    (one,) = catalogue_of(
        "Caught by `every_job_ends` in the processes lane.", minimal={"late": [("x", {}), ("y", {})]}
    )
    assert one == Planted("late", "every_job_ends", "processes", by_hand=2)


@pytest.mark.parametrize(
    ("story", "minimal", "words"),
    [
        ("It is late.", {}, "says 0 times what catches it: end it once with"),
        ("Caught by `every_job_ends`. Caught by `every_job_ends`.", {}, "says 2 times"),
        ("Caught by `jobs_end`.", {}, "names jobs_end, which is no invariant; the invariants are a_job"),
        ("Caught by `every_job_ends` in the fast lane.", {}, "the lane fast; say embedded, transactions"),
        ("Caught by `every_job_ends`.", {"early": []}, "history for early, which is no defect .* are late"),
    ],
)
def test_a_mistake_in_a_story_gets_a_sentence(story: str, minimal: dict[str, Any], words: str) -> None:
    with pytest.raises(BindingError, match=words):
        catalogue_of(story, minimal=minimal)
