"""Histories of two operations at once, shown in a table and on a page as they were really played.

``UPDATE_SNAPSHOTS=1 pytest tests/report/interleaved`` writes the snapshots anew; read the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from statemachine.history.ndjson import Header
from statemachine.report.text.failure import failure_report
from statemachine.report.text.paper import WIDE, Paper
from statemachine.report.text.steps import table
from statemachine.report.timeline.page import Page, rendered
from statemachine.report.timeline.pages import of_failure
from statemachine.search.run import Run
from statemachine.search.triage.explain import explain
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, play
from statemachine.world.lane import Lane
from tests.support.browser import running
from tests.support.interleaved_scripts import KILLS, OFFICES, TWO_LEASES, TWO_PREPARES
from tests.support.pages import Parsed
from tests.support.postgresql import OpenTransactions
from tests.support.snapshots import is_as_it_was
from tests.support.unlocked import UNLOCKED

SNAPSHOTS = Path(__file__).parent / "snapshots"
PAPERS = {"100": WIDE, "80": Paper(80), "ascii": Paper(80, "ascii")}
RIGHT = {"two_prepares": TWO_PREPARES, "kills": KILLS, "offices": OFFICES}
REPRODUCE = ["pytest statemachine/ --replay=.statemachine/abcde"]


def failing(lane: Lane, steps: list[Step]) -> Failure:
    played = play(lane, steps)
    assert not played.left_out
    assert played.failure is not None
    return played.failure


def test_correct_code_is_shown_statement_by_statement(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        played = {name: play(lane, steps) for name, steps in RIGHT.items()}
    for name, one in played.items():
        assert not one.left_out, name
        assert one.failure is None, name
        for kind, paper in PAPERS.items():
            lines = table(lane.binding.lifecycle, one.example.events, None, paper)
            assert [line for line in lines if len(line) > paper.width - 2] == []
            assert paper.encoding != "ascii" or "".join(lines).isascii()
            is_as_it_was("\n".join([*lines, ""]), SNAPSHOTS / f"{name}.{kind}.txt")


@pytest.mark.parametrize("kind", PAPERS)
def test_the_report_is_word_for_word_as_it_was(kind: str, open_transactions: OpenTransactions) -> None:
    paper = PAPERS[kind]
    with open_transactions(UNLOCKED) as lane:
        failure = failing(lane, TWO_LEASES)
        report = failure_report(
            lane.binding.lifecycle,
            failure,
            why=explain(lane, failure),
            reproduce=REPRODUCE,
            looked_at="Looked at 47 examples until it was found, after 2.0 s",
            paper=paper,
        )
    assert [line for line in report.splitlines() if len(line) > paper.width] == []
    is_as_it_was(report + "\n", SNAPSHOTS / f"two_leases.{kind}.txt")


def test_the_page_is_as_it_was(open_transactions: OpenTransactions) -> None:
    with open_transactions(UNLOCKED) as lane:
        failure = failing(lane, TWO_LEASES)
        header = Header(UNLOCKED, lane.binding.lifecycle, 7, lane="transactions")
        why = explain(lane, failure)
        text = of_failure(
            header, failure, why=why, reproduce=REPRODUCE, looked_at="47 examples", run=Run(lane)
        )
    page = Parsed(text)
    assert page.broken_links == []
    assert page.foreign == []
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    lines = re.sub(r"(?=<(tr|section|symbol|li|dt|head|body|thead|tbody)\b)", "\n", body)
    is_as_it_was(lines, SNAPSHOTS / "two_leases.timeline.html")


def test_every_history_has_a_whole_page(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        for name, steps in RIGHT.items():
            events = play(lane, steps).example.events
            page = Parsed(rendered(Page("PASS", lane.binding.lifecycle, events, meaning="nothing broke")))
            assert page.broken_links == [], name
            assert {f"step-{step.key}" for step in steps} <= page.ids, name


def test_the_signature_names_the_operation_that_was_resumed(open_transactions: OpenTransactions) -> None:
    with open_transactions(UNLOCKED) as lane:
        failure = failing(lane, TWO_LEASES)
    assert failure.headline.step == TWO_LEASES[-1].key
    assert failure.signature.operation == "prepare"
    assert failure.signature.situation == "PENDING"


@pytest.mark.parametrize("width", [390, 1400])
def test_a_browser_draws_both_bars_of_a_worker_side_by_side(
    width: int, open_transactions: OpenTransactions, tmp_path: Path
) -> None:
    with open_transactions(UNLOCKED) as lane:
        failure = failing(lane, TWO_LEASES)
        file = tmp_path / "timeline.html"
        page = Page("FAIL", lane.binding.lifecycle, failure.events, failure=failure)
        file.write_text(rendered(page), encoding="ascii")
    with running() as browser:
        browser.open(file, width)
        assert browser.errors == []
        assert browser.too_wide <= 0
        kinds = browser.asked(
            "[...document.querySelectorAll('#step-10 .bar')].map(bar => [bar.className.split(' ')[1], "
            "bar.getBoundingClientRect().left, bar.getBoundingClientRect().right])"
        )
    sides = {
        kind: [(left, right) for one, left, right in kinds if one == kind] for kind in ("work", "flight")
    }
    assert len(sides["work"]) == len(sides["flight"]) == 2, "workers A and B"
    for (left, right), (beside, end) in zip(sides["work"], sides["flight"], strict=True):
        assert end <= left or right <= beside
