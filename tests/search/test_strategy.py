"""A plain search: what it plays beyond the profile's number of examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from statemachine.history.ndjson import Header
from statemachine.plugin.progress import searched
from statemachine.search.control import SearchControl
from statemachine.search.corpus.entries import Corpus
from statemachine.search.corpus.places import Directory
from statemachine.search.lanes import EMBEDDED, LaneKind
from statemachine.search.strategy import PlainSearch
from statemachine.search.tally import Part
from statemachine.world.lane import Lane
from tests.conftest import OpenLane

EXAMPLES = 16
JUDGED = replace(EMBEDDED, judges_reach_from=1)


@pytest.fixture(autouse=True)
def small_profile() -> Iterator[None]:
    settings.register_profile("small", settings.get_profile("dev"), max_examples=EXAMPLES)
    before = settings.get_current_profile_name()
    settings.load_profile("small")
    yield
    settings.load_profile(before)


def begun(lane: Lane, place: Path, kind: LaneKind) -> dict[int, frozenset[str]]:
    """Search; return what each further search was to meet, by how many examples were begun before it."""
    wanted = {}
    corpus = Corpus(Directory(place), Header("theirs:Binding", lane.binding.lifecycle))

    def tick(control: SearchControl) -> None:
        wanted[control.run.tally.examples - control.examples] = control.wanted

    search = PlainSearch(lane, corpus, seed=3, tick=tick, exit_first=False, kind=kind)
    search.run()
    return wanted


def test_a_run_that_missed_something_plays_half_as_many_more_at_most(lane: Lane, tmp_path: Path) -> None:
    wanted = begun(lane, tmp_path, JUDGED)
    assert next(iter(wanted.values())) == frozenset()
    assert 2 <= len(wanted) <= 5
    assert all(list(wanted.values())[1:])


def test_a_run_that_met_all_plays_no_more(lane: Lane, tmp_path: Path) -> None:
    assert list(begun(lane, tmp_path, EMBEDDED).values()) == [frozenset()], "too short to judge"


def test_the_progress_counts_to_what_the_lane_plays(lane: Lane, tmp_path: Path) -> None:
    said: list[str] = []
    corpus = Corpus(Directory(tmp_path), Header("theirs:Binding", lane.binding.lifecycle))
    kind = replace(EMBEDDED, one_in=4)
    search = PlainSearch(lane, corpus, 3, lambda control: said.append(searched(control)), False, kind)
    search.run()
    assert said[0].startswith(f"1 of {EXAMPLES // 4} examples, 0 steps, ")


def test_the_parts_of_a_run_add_up_to_its_seconds(open_lane: OpenLane, tmp_path: Path) -> None:
    with open_lane("lease_as_long_as_visibility") as lane:
        corpus = Corpus(Directory(tmp_path), Header("theirs:Binding", lane.binding.lifecycle))
        for replayed in (False, True):
            search = PlainSearch(lane, corpus, 3, lambda control: None, exit_first=True)
            search.run()
            run = search.total
            assert run.failure is run.findings.shortest
            with run.spending(Part.FAILURES):
                run.findings = run.findings.minimised(lane)
            assert (run.seconds_of(Part.SEARCH) > 0) is not replayed
            assert sum(run.tally.spent.values()) == pytest.approx(run.tally.seconds, abs=0.1)
            assert sum(map(run.seconds_of, Part)) == sum(run.tally.spent.values())
