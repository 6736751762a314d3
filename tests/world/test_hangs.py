"""A step that does not end, or would end the process, is given up, and the run cannot say PASS."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from models_under_test.binding import AIJobsBinding
from statemachine.report.text.figures import doubt_lines
from statemachine.search.control import MOST_GIVEN_UP, SearchControl
from statemachine.search.engine import play, sized
from statemachine.search.findings import Findings
from statemachine.search.lanes import EMBEDDED
from statemachine.search.run import Run, Verdict
from statemachine.search.triage.budget import TimeBudget
from statemachine.search.triage.explain import Result, explain
from statemachine.search.triage.minimise import minimise
from statemachine.world.exits import GivenUp
from statemachine.world.hangs import WATCH
from statemachine.world.lane import BYSTANDERS
from statemachine.world.operations import perform
from tests.conftest import OpenLane


def spin() -> None:
    while True:
        pass


def catch_once() -> None:
    with suppress(BaseException):  # as worker loops do
        threading.Event().wait()


HANGS: dict[str, Callable[[], None]] = {
    "in Python": spin,
    "asleep": lambda: time.sleep(10**6),
    "waiting for a lock": lambda: threading.Event().wait() and None,
    "and catches the interruption": catch_once,
}


def of(does: Callable[[], None]) -> str:
    Misbehaving.does = staticmethod(does)
    return f"{__name__}:Misbehaving"


class Misbehaving(AIJobsBinding):
    does: Callable[[], None]

    def create(self, job: str, tenant: str) -> object:
        if job not in BYSTANDERS:
            Misbehaving.does()
        return super().create(job, tenant)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WATCH, "seconds", 0.2)


def searched(open_lane: OpenLane, does: Callable[[], None]) -> Run:
    with open_lane(None, of(does)) as lane:
        control = SearchControl(EMBEDDED.new_run(lane))
        play(control, 1, EMBEDDED.machine, sized(30, steps=20))
        control.run.finished = True
    return control.run


@pytest.mark.usefixtures("_impatient")
def test_a_hang_between_two_examples_is_told_as_well(
    open_lane: OpenLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_lane() as lane:
        monkeypatch.setattr(lane.binding, "reset", lambda jobs: spin())
        with pytest.raises(GivenUp, match=r"in the preparation of an example: .*:\d+ spin"):
            lane.begin()
        monkeypatch.undo()


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("does", HANGS.values(), ids=HANGS)
def test_a_system_that_hangs_is_told_and_leaves_the_run_unknown(
    open_lane: OpenLane, does: Callable[[], None]
) -> None:
    run = searched(open_lane, does)
    assert run.given_up == MOST_GIVEN_UP
    assert run.verdict is Verdict.UNKNOWN
    first = doubt_lines(run.doubts())[0]
    assert first.startswith("the system hung for 0.2 s in create of j1 by application (step 1): "), first
    assert "test_hangs.py:" in first
    assert " create → " in first
    assert "statemachine/world" not in first
    assert first.endswith("of the search with seed 1)")


def test_a_system_that_would_end_the_process_leaves_the_run_unknown(open_lane: OpenLane) -> None:
    run = searched(open_lane, lambda: os._exit(0))
    assert run.verdict is Verdict.UNKNOWN
    assert "the code under test called os._exit(0) at " in doubt_lines(run.doubts())[0]


def test_whatever_the_system_raises_is_its_answer(open_lane: OpenLane) -> None:
    def skip() -> None:
        pytest.skip("not today")

    assert searched(open_lane, skip).verdict is Verdict.FAIL


def test_a_slow_step_is_let_be_without_a_limit(open_lane: OpenLane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WATCH, "seconds", 0)
    with open_lane(None, of(lambda: time.sleep(0.3))) as lane:
        perform(lane.begin(), "create", {"job": "j1", "tenant": "t1"})


def test_the_next_example_is_played_as_if_nothing_had_happened(
    open_lane: OpenLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_lane(None, of(spin)) as lane:
        monkeypatch.setattr(WATCH, "seconds", 0.2)
        example = lane.begin()
        with pytest.raises(GivenUp):
            perform(example, "create", {"job": "j1", "tenant": "t1"})
        lane.abandon()
        monkeypatch.setattr(Misbehaving, "does", staticmethod(lambda: None))
        example = lane.begin()
        perform(example, "create", {"job": "j1", "tenant": "t1"})
        assert example.judge.violations == []
        assert example.jobs == ["j1"]


def test_minimising_ends_with_its_budget_and_says_so(open_lane: OpenLane) -> None:
    with open_lane("completion_without_token") as lane:
        control = SearchControl(EMBEDDED.new_run(lane))
        play(control, 1, EMBEDDED.machine, sized(200))
        failure = control.failure
        assert failure is not None
        none, enough = TimeBudget(0), TimeBudget(600)
        kept, minimal = minimise(lane, failure, (), none), minimise(lane, failure, (), enough)
        assert len(minimal.steps) < len(kept.steps)
        assert none.cut
        assert not enough.cut
        why = explain(lane, minimal, time=TimeBudget(0))
        assert [rerun.result for rerun in why.reruns] == [Result.FAILS]
        assert why.wanted > 1
    assert Findings().minimised(lane, none) is not None
