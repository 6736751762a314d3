"""Pages in a real browser: shown whole at the widths of a phone and of a laptop, and without a complaint."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from statemachine.history.events import Event
from statemachine.lifecycle import Lifecycle
from statemachine.report.timeline.page import Page, rendered
from tests.conftest import OpenLane
from tests.report.timeline.test_planted import made
from tests.support.browser import Browser, running
from tests.support.events import created
from tests.support.scripts import TOLD

PHONE, LAPTOP = 390, 1280


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as browser:
        yield browser


def shown(tmp_path: Path, page: str) -> Path:
    file = tmp_path / "timeline.html"
    file.write_text(page, encoding="ascii")
    return file


@pytest.mark.parametrize("defect", TOLD)
def test_a_failure_is_shown_whole(defect: str, browser: Browser, open_lane: OpenLane, tmp_path: Path) -> None:
    failure, page = made(defect, open_lane)
    file = shown(tmp_path, page)
    for width, dark in ((PHONE, False), (LAPTOP, False), (PHONE, True), (LAPTOP, True)):
        browser.open(file, width, dark)
        assert browser.errors == []
        assert browser.too_wide <= 0
        text = browser.asked("document.body.innerText")
        assert failure.headline.story in text
        for step in failure.steps:
            height = browser.asked(f"document.getElementById('step-{step.step}').offsetHeight")
            assert height > 10, f"step {step.step} at {width} px"


def test_the_link_at_the_top_leads_to_the_failing_step(
    browser: Browser, open_lane: OpenLane, tmp_path: Path
) -> None:
    failure, page = made("completion_without_token", open_lane)
    browser.open(shown(tmp_path, page), PHONE)
    browser.asked("document.querySelector('.jump a').click()")
    place = browser.asked(
        f"document.getElementById('step-{failure.headline.step}').getBoundingClientRect().top"
    )
    assert 0 <= place < 900


def test_bars_are_drawn_in_the_columns_of_their_workers(
    browser: Browser, open_lane: OpenLane, tmp_path: Path
) -> None:
    _, page = made("completion_without_token", open_lane)
    file = shown(tmp_path, page)
    for width in (PHONE, LAPTOP):
        browser.open(file, width)
        lefts = browser.asked(
            "[...document.querySelectorAll('#step-7 .bar')].map(bar => bar.getBoundingClientRect().left)"
        )
        assert len(lefts) == 3, "workers A and B, and the lease"
        assert lefts == sorted(lefts)
        assert min(right - left for left, right in pairwise(lefts)) >= 9


def test_a_step_in_a_fold_is_opened_by_its_link(browser: Browser, tmp_path: Path) -> None:
    events: list[Event] = [event for number in range(1, 501) for event in created(number)]
    file = shown(tmp_path, rendered(Page("PASS", Lifecycle(), events, meaning="nothing broke")))
    browser.open(file, LAPTOP)
    assert not browser.asked("document.getElementById('step-250').closest('details').open")
    browser.asked("void (location.hash = '#step-250')")
    assert browser.asked("document.getElementById('step-250').closest('details').open")


def test_a_bad_page_is_noticed(browser: Browser, tmp_path: Path) -> None:
    browser.open(shown(tmp_path, '<script>nothing()</script><p style="width: 2000px">wide'), LAPTOP)
    assert browser.too_wide > 0
    assert any("nothing is not defined" in error for error in browser.errors)
