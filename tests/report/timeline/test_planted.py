"""The page of every hand-written history: whole, the same each time, and true to what was played.

One of them is held as it is, its style left out; ``UPDATE_SNAPSHOTS=1 pytest`` with this file writes it anew.
Read the diff, and look at the page.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from statemachine.history.ndjson import Header
from statemachine.report.text.failure import protects
from statemachine.report.timeline.grid import timeline
from statemachine.report.timeline.page import Page, rendered
from statemachine.report.timeline.pages import of_failure
from statemachine.report.timeline.steps import timeline_steps
from statemachine.search.control import SearchControl
from statemachine.search.engine import search, sized
from statemachine.search.run import Run
from statemachine.search.triage.explain import explain
from statemachine.search.triage.failure import Failure
from statemachine.world.example import Example
from tests.conftest import OpenLane
from tests.defects.test_planted import shown
from tests.support.pages import Parsed
from tests.support.scripts import MINIMAL, TOLD
from tests.support.snapshots import is_as_it_was

SNAPSHOT = Path(__file__).parent / "snapshots" / "completion_without_token.timeline.html"
REPRODUCE = ["pytest statemachine/ --replay=.statemachine/abcde", "or, to stop where it breaks,"]


def made(defect: str, open_lane: OpenLane) -> tuple[Failure, str]:
    with open_lane(defect) as lane:
        failure = shown(lane, list(MINIMAL[defect]))
        assert failure is not None
        header = Header("theirs:Binding", lane.binding.lifecycle, 7, defect)
        why = explain(lane, failure)
        run = Run(lane)
        pages = {
            of_failure(header, failure, why=why, reproduce=REPRODUCE, looked_at="47 examples", run=run)
            for _ in range(2)
        }
    (page,) = pages
    return failure, page


@pytest.mark.parametrize("defect", sorted(MINIMAL))
def test_every_history_has_a_whole_page(defect: str, open_lane: OpenLane) -> None:
    failure, text = made(defect, open_lane)
    page, seen = Parsed(text), failure.headline
    assert page.broken_links == []
    assert page.foreign == []
    assert {f"step-{step.step}" for step in failure.steps} <= page.ids
    assert page.text_of("p", "story") == [seen.story]
    assert protects(seen) in page.text
    assert "§" not in page.text
    for line in (*REPRODUCE, "theirs:Binding", "47 examples"):
        assert line in page.text
    for line in seen.compared:
        assert {line.what, line.expected, line.actual} <= set(page.cells)


@pytest.mark.parametrize("defect", TOLD)
def test_the_failing_step_is_marked_and_linked_from_the_top(defect: str, open_lane: OpenLane) -> None:
    failure, text = made(defect, open_lane)
    page = Parsed(text)
    assert f"#step-{failure.headline.step}" in [target for target, _ in page.links[:1]]
    failing = re.findall(r'<tr id="(step-\d+)" class="failing', text)
    assert failing == [f"step-{failure.headline.step}"]


def test_one_page_is_as_it_was(open_lane: OpenLane) -> None:
    _, text = made("completion_without_token", open_lane)
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    lines = re.sub(r"(?=<(tr|section|symbol|li|dt|head|body|thead|tbody)\b)", "\n", body)
    assert lines.isascii()
    is_as_it_was(lines, SNAPSHOT)


class Drawn(Run):
    """A run that draws each of its examples; ``weight`` is that of all timelines, in bytes."""

    weight = 0

    def end_example(self, example: Example) -> None:
        super().end_example(example)
        page = rendered(Page("PASS", example.lifecycle, example.events, meaning="nothing broke"))
        assert Parsed(page).broken_links == []
        self.weight += len(timeline(timeline_steps(example.lifecycle, example.events)))


def test_every_example_of_a_search_has_a_whole_page_of_moderate_size(open_lane: OpenLane) -> None:
    with open_lane() as lane:
        run = Drawn(lane)
        search(SearchControl(run), 5, sized(60))
    assert run.tally.examples >= 30
    # A step takes about 550 bytes: a history of 5,000 is a page of less than 4 MB.
    assert run.weight / run.tally.steps < 800
