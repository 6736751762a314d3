"""Videos and notifications are judged by the same machine: played clean, and their planted defects caught.

Figures over many seeds come from ``python -m statemachine certificate --binding PATH``.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import models_under_test.defects
from models_under_test.binding import AIJobsBinding, MessagingBinding, PipelineBinding, VideoBinding
from statemachine.commands.certificate.catalogue import Planted, catalogue
from statemachine.search.control import SearchControl
from statemachine.search.engine import search, sized
from statemachine.search.run import Run, Verdict
from statemachine.search.triage import script as scripts
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.support.scripts import script

HERE = Path(models_under_test.defects.__file__).parent
BINDINGS = (VideoBinding, MessagingBinding)
PLANTED = [(binding, planted) for binding in BINDINGS for planted in catalogue(binding())]
NAMES = [planted.name for _, planted in PLANTED]

MET = (
    *("lease edge 0 s", "killed during_inference", "killed after_finish_commit", "duplicate delivery"),
    *("prepare: RUNNING, lease expired", "prepare: no such job for that tenant", "redriven"),
    *("complete: superseded, or attempt never given", "publisher killed", "slow worker finished late"),
)
"""What a short run of either must meet: redelivery, kills at both ends of the work, foreign tenants."""


def path_of(binding: type[PipelineBinding]) -> str:
    return f"{binding.__module__}:{binding.__name__}"


def hunt(lane: Lane, seed: int, examples: int) -> Run:
    run = Run(lane)
    search(SearchControl(run), seed, sized(examples))
    return run


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_pipeline_is_clean_and_really_played(binding: type[PipelineBinding], open_lane: OpenLane) -> None:
    with open_lane(None, path_of(binding)) as lane:
        run = hunt(lane, seed=31, examples=80)
    assert run.verdict is Verdict.PASS, run.failure and run.failure.headline
    assert [cell for cell in MET if not run.reach.counts[cell]] == []


def steps_for(binding: type[PipelineBinding], planted: Planted) -> list[Any]:
    return script(*binding().minimal[planted.name])


@pytest.mark.parametrize(("binding", "planted"), PLANTED, ids=NAMES)
def test_a_hand_written_history_shows_the_defect(
    binding: type[PipelineBinding], planted: Planted, open_lane: OpenLane
) -> None:
    steps = steps_for(binding, planted)
    with open_lane(planted.name, path_of(binding)) as lane:
        failure = scripts.play(lane, steps, drained=True).failure
        assert failure is not None
        assert failure.headline.invariant == planted.invariant
    with open_lane(None, path_of(binding)) as lane:
        assert scripts.play(lane, steps, drained=True).failure is None


@pytest.mark.parametrize(("binding", "planted"), PLANTED, ids=NAMES)
def test_no_step_of_the_hand_written_history_can_go(
    binding: type[PipelineBinding], planted: Planted, open_lane: OpenLane
) -> None:
    steps = steps_for(binding, planted)
    with open_lane(planted.name, path_of(binding)) as lane:
        assert scripts.play(lane, steps).example.judge.violations
        for place in range(len(steps)):
            shorter = scripts.play(lane, [*steps[:place], *steps[place + 1 :]])
            assert shorter.failure is None, f"{steps[place]} is not needed"


@pytest.mark.parametrize(("binding", "planted"), PLANTED, ids=NAMES)
def test_the_search_finds_the_defect(
    binding: type[PipelineBinding], planted: Planted, open_lane: OpenLane
) -> None:
    with open_lane(planted.name, path_of(binding)) as lane:
        runs = [hunt(lane, seed, examples=2000) for seed in (7, 8, 9)]
    assert [run.verdict for run in runs] == [Verdict.FAIL] * 3
    # Another claim may be broken first, so not every seed names the one that the story names.
    assert planted.invariant in {run.failure.headline.invariant for run in runs if run.failure}


@pytest.mark.parametrize(("binding", "planted"), PLANTED, ids=NAMES)
def test_a_defect_is_small(binding: type[PipelineBinding], planted: Planted) -> None:
    folder = HERE / binding.catalogue.rpartition(".")[2]
    tree = ast.parse((folder / f"{planted.name}.py").read_text(encoding="utf-8"))
    changed = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in changed) <= 15


def test_no_two_defects_bear_one_name() -> None:
    # A defect's own source is found by its name alone.
    names = [*NAMES, *AIJobsBinding().defects]
    assert len(set(names)) == len(names)
