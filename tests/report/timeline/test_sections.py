"""Parts of a page: what is folded away, the grid of re-runs, situations and claims that were not met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.reach import Reach
from statemachine.invariants.claim import Violation
from statemachine.report.timeline.page import Page, rendered
from statemachine.report.timeline.steps import TimelineStep
from statemachine.report.timeline.why import why_grid
from statemachine.search.triage.explain import Apart, Rerun, Result, SameSteps, Until, Why, Without
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Signature
from tests.support.events import (
    LEASE,
    OURS,
    clock,
    created,
    delivered,
    prepared,
    sent,
    step,
)
from tests.support.pages import Parsed

FAILS = Rerun(SameSteps(), Result.FAILS)
A_WORKS = [*created(), step(2, "receive"), sent(), delivered(), *prepared(3)]
TAKEN_OVER = [*A_WORKS, step(4, "wait"), clock(LEASE), *prepared(5, "B", LEASE, attempt=2)]


def page(events: Sequence[Event], **given: object) -> str:
    return rendered(Page("PASS", OURS, events, meaning="nothing broke", **given))  # type: ignore[arg-type]


def many(steps: int) -> list[Event]:
    return [event for number in range(1, steps + 1) for event in created(number)]


@pytest.mark.parametrize(("steps", "folds"), [(110, 0), (111, 1), (500, 3)])
def test_the_middle_of_a_long_history_is_folded_and_nothing_left_out(steps: int, folds: int) -> None:
    text = page(many(steps))
    assert text.count("<details><summary>Steps ") == folds
    assert {f"step-{number}" for number in range(1, steps + 1)} <= Parsed(text).ids


def test_a_fold_says_what_it_holds_and_is_open_if_the_failing_step_is_in_it() -> None:
    numbers = count(1)
    events = [
        replace(event, step=next(numbers)) if isinstance(event, history.StepBegan) else event
        for event in (*many(30), *TAKEN_OVER, *many(300))
    ]
    text = page(events)
    assert "Steps 21-220, 0 s to 0 s: takeover 1" in Parsed(text).text
    assert '<details open="">' not in text
    seen = Violation("every_job_ends", "j1", 230, 0, "it failed.", ())
    text = rendered(
        Page(
            "FAIL",
            OURS,
            events,
            failure=Failure(seen, (), tuple(events), Signature("every_job_ends", "drain")),
        )
    )
    assert text.count('<details open=""><summary>Steps 221-') == text.count('<details open="">') == 1


WHY = {
    "not again": (Why((Rerun(SameSteps(), Result.PASSES),), 1), ["The same steps again: ✓ passes"]),
    "dropped": (
        Why((FAILS, Rerun(Without(1), Result.PASSES), Rerun(Without(2), Result.NOT_POSSIBLE, "no job")), 3),
        ["1 create", "✓ passes", "2 publish", "\N{EN DASH} not possibleno job"],
    ),
    "shifted": (
        Why(
            (
                FAILS,
                Rerun(Until(3, 3539), Result.PASSES),
                Rerun(Until(3, 3541, "lease"), Result.OTHER, "every_job_ends"),
            ),
            9,
            (Until(3, 3540, "lease"),),
        ),
        [
            "3 wait",
            "not tried",
            "✓ passesat 3539",
            "≠ breaks every_job_ends insteadat 3541, the lease edge",
            "3 of 9 re-runs were made",
        ],
    ),
    "apart": (
        Why((FAILS, Rerun(Apart(1), Result.FAILS)), 2),
        ["With 1 s between the steps: ✗ FAILS"],
    ),
}


@pytest.mark.parametrize(("why", "expected"), WHY.values(), ids=WHY)
def test_the_grid_says_what_each_rerun_did(why: Why, expected: list[str]) -> None:
    steps = [
        TimelineStep(1, 0, "create"),
        TimelineStep(2, 0, "publish"),
        TimelineStep(3, 0, "wait"),
        TimelineStep(4, 0, "x"),
    ]
    grid = why_grid(why, steps).encode("ascii", "xmlcharrefreplace").decode()
    text = " ".join(Parsed(grid).text.split())
    places = [text.find(" ".join(words.split())) for words in expected]
    assert -1 not in places, text
    assert places == sorted(places)
    assert "4 x" not in text


@pytest.mark.parametrize("required", [True, False])
def test_a_situation_that_was_never_met_stands_out_where_it_was_required(required: bool) -> None:
    reach = Reach(OURS)
    reach.counts["create: new id"] = 1234
    parsed = Parsed(page([], reach=reach, reach_required=required))
    assert "1 234" in parsed.text_of("td", "met4")
    assert "0" in parsed.text_of("td", "met0")
    assert (("div", "required") in parsed.classes) is required


def test_a_situation_that_cannot_exist_is_shown_as_that_with_its_reason() -> None:
    reach = Reach(OURS, {"create: new id": "jobs are imported", "redriven": "there is no DLQ"})
    parsed = Parsed(page([], reach=reach, reach_required=True))
    assert parsed.text_of("td", "unreachable") == parsed.text_of("b", "unreachable") == ["unreachable"]
    assert "unreachable: create: new id (jobs are imported)" in parsed.text
    assert "unreachable: redriven (there is no DLQ)" in parsed.text


def test_a_claim_that_was_never_judged_stands_out() -> None:
    parsed = Parsed(page([], judged={"every_job_ends": 0, "transitions_are_legal": 7}))
    assert parsed.text_of("td", "met0") == ["0"]
