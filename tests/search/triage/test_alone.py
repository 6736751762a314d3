"""A finding is played alone in a fresh process: what this process remembers does not count there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from models_under_test.binding import AIJobsBinding
from models_under_test.defects.minimal.steps import CREATE
from statemachine.report.text.figures import how_found
from statemachine.search.figures import InSearch
from statemachine.search.findings import Finding
from statemachine.search.triage import script as scripts
from statemachine.search.triage.alone import FreshProcess, NoAnswer, Script, set_aside
from statemachine.search.triage.confirm import confirmed
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step
from statemachine.world.lane import Lane
from tests.support.scripts import MINIMAL, script

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here"),
]


class AcceptsAll(AIJobsBinding):
    """Once ``enough`` stray completions were tried in its process, every stray failure is accepted."""

    enough, other_examples_only = 1, False

    def __init__(self) -> None:
        super().__init__()
        self.tried: list[str] = []

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool:
        if job.startswith("e"):  # of an example, not a bystander
            self.tried.append(job.partition("-")[0])
        return super().complete(job, tenant, attempt, result)

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        counted = [
            example
            for example in self.tried
            if not self.other_examples_only or example != job.partition("-")[0]
        ]
        return len(counted) >= self.enough or super().fail(job, tenant, attempt, error)


class NeedsTwo(AcceptsAll):
    enough = 2


class NeedsAnEarlierExample(AcceptsAll):
    other_examples_only = True


class Exits(AcceptsAll):
    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        os._exit(3)


COMPLETE = ("stray", {"operation": "complete", "job": "j1", "attempt": "zero"})
FAIL = ("stray", {"operation": "fail", "job": "j1", "attempt": "zero"})
WAIT = ("wait", {"seconds": 1})
WORKS = script(CREATE, WAIT, COMPLETE, WAIT)
BREAKS = script(CREATE, WAIT, FAIL)
WHOLE = script(CREATE, WAIT, COMPLETE, COMPLETE, WAIT, FAIL)


@contextmanager
def both(binding: AcceptsAll) -> Iterator[tuple[Lane, FreshProcess]]:
    """A lane of this process, and a process that was set aside before it was opened."""
    lane = Lane(binding)

    @contextmanager
    def opened() -> Iterator[Lane]:
        with lane.open():
            yield lane

    with set_aside(opened) as process, opened():
        assert process is not None
        yield lane, process


def found(lane: Lane, steps: list[Step], *before: list[Step]) -> Finding:
    """What ``steps`` break here after the examples ``before``."""
    for earlier in before:
        scripts.play(lane, earlier)
    failure = scripts.play(lane, steps).failure
    assert failure is not None
    return Finding(failure, InSearch(2), len(steps), played_before=before)


def operations(failure: Failure) -> list[str]:
    return [step.operation for step in failure.steps]


def test_a_fresh_process_has_played_nothing_each_time() -> None:
    with both(AcceptsAll()) as (lane, process):
        for _ in range(2):
            assert found(lane, BREAKS, WORKS)
            assert process.play([Script(BREAKS)]) is None
            failure = process.play([Script(WORKS), Script(BREAKS)])
            assert failure is not None
            assert failure.headline.invariant == "operations_answer_by_the_table"


def test_what_breaks_alone_is_told_as_it_is(transactional_db: None) -> None:
    binding = AcceptsAll()
    binding.plant("completion_without_token")
    with both(binding) as (lane, process):
        minimal = found(lane, list(MINIMAL["completion_without_token"]))
        assert confirmed(minimal, minimal, process) is minimal


def test_a_history_that_was_cut_too_short_is_shrunk_in_fresh_processes() -> None:
    with both(NeedsTwo()) as (lane, process):
        whole = found(lane, WHOLE)
        cut = replace(whole, failure=found(lane, BREAKS).failure)
        told = confirmed(whole, cut, process)
    assert operations(told.failure) == ["create", "stray", "stray", "stray"]
    assert (told.misled, told.breaks_alone, told.earlier) == (True, True, ())
    assert "Shrunk in fresh processes" in how_found(told)


def test_the_earlier_example_that_it_needs_is_told() -> None:
    with both(NeedsAnEarlierExample()) as (lane, process):
        whole = found(lane, BREAKS, script(CREATE), WORKS, script(CREATE, WAIT))
        told = confirmed(whole, whole, process)
    assert operations(told.failure) == ["create", "stray"]
    assert told.earlier == tuple(script(CREATE, COMPLETE))
    assert "1. create j1 t1\n  2. stray complete j1 zero" in how_found(told)


def test_what_needs_several_earlier_examples_is_told_as_such() -> None:
    binding = NeedsAnEarlierExample()
    binding.enough = 2
    with both(binding) as (lane, process):
        whole = found(lane, BREAKS, WORKS, WORKS)
        told = confirmed(whole, whole, process)
    assert (told.misled, told.breaks_alone, told.earlier) == (True, False, ())
    assert "nor does it after any one of the 2 examples before it" in how_found(told)


def test_a_process_that_ends_is_no_confirmation() -> None:
    with both(AcceptsAll()) as (lane, _):
        whole = found(lane, BREAKS, WORKS)
    with both(Exits()) as (_, process):
        with pytest.raises(NoAnswer, match=r"called os\._exit"):
            process.play([Script(BREAKS)])
        told = confirmed(whole, whole, process)
    assert "not played again in a fresh process: GivenUp: the code under test called" in how_found(told)


class AcceptsEverySecondTime(AcceptsAll):
    """Accepts a stray failure in this process, and at every second call of all other processes."""

    def __init__(self, calls: Path) -> None:
        super().__init__()
        self.calls, self.ours = calls, os.getpid()

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        if job.startswith("bystander"):
            return super().fail(job, tenant, attempt, error)
        if os.getpid() == self.ours:
            return True
        with self.calls.open("a", encoding="utf-8") as file:
            file.write(".")
        return self.calls.stat().st_size % 2 == 0 or super().fail(job, tenant, attempt, error)


def test_a_system_that_does_not_repeat_itself_is_told_as_such(tmp_path: Path) -> None:
    with both(AcceptsEverySecondTime(tmp_path / "calls")) as (lane, process):
        whole = found(lane, BREAKS)
        told = confirmed(whole, whole, process)
    assert not told.misled
    assert "in fresh processes the same steps broke the claim in 4 of 9 plays" in how_found(told)
