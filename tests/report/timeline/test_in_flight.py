"""Pages of literal histories with operations in flight: what is said, where their bars begin and end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.report.timeline.bars import Stroke
from statemachine.report.timeline.page import Page, rendered
from tests.history.test_in_flight import A_COMMITS, B_WAITS, LOCKED, begins, dies, goes_on
from tests.report.timeline.test_page import drawn, words
from tests.support.events import NO, OURS, call, created, invoked, raised, returned, struck

STRAY = [
    StepBegan(0, 1, "stray", {"stepwise": True}),
    invoked(1, "complete", "stray", attempt=2),
]

SAYINGS = {
    "begins": (begins(1), "prepare begins"),
    "begins and ends": ([*begins(1), returned(1, NO)], "prepare → refused"),
    "statement": ([*begins(1), *goes_on(2, "A", LOCKED)], LOCKED),
    "whole and blocked": (B_WAITS, f"prepare: {LOCKED} (blocked by A)"),
    "blocked": (
        [*begins(9, "B"), *begins(1), *goes_on(2, "A", LOCKED, history.LockWaited(0, 1, 9))],
        f"{LOCKED} (blocked by B)",
    ),
    "commit": ([*B_WAITS, *A_COMMITS], "COMMIT → prepare: attempt 1"),
    "refusal": ([*begins(1), *goes_on(2, "A", "COMMIT", returned(1, NO))], "COMMIT → prepare: refused"),
    "error": (
        [*begins(1), *goes_on(2, "A", "ROLLBACK", raised(1, "ValueError: no"))],
        "ROLLBACK → prepare: raises ValueError: no",
    ),
    "error that we made": ([*begins(1), *goes_on(2, "A", "COMMIT", struck(1))], "F COMMIT fails"),
    "lost answer": (
        [
            *begins(1),
            *goes_on(2, "A", "COMMIT", struck(1, fault="answer_lost"), history.Unknown(0, 1, "answer lost")),
        ],
        "F COMMIT → prepare: answer lost",
    ),
    "death": ([*begins(1), *dies(2)], "K before its first statement"),
    "death in a wait": ([*B_WAITS, *dies(4, "B", "kill_while_blocked", 3)], "K waiting for a lock"),
    "stray": (STRAY, "stray: complete(j1, attempt 2) as t1 begins"),
    "stray goes on": ([*STRAY, *goes_on(2, "stray", LOCKED)], f"stray: {LOCKED}"),
    "stray ends": (
        [*STRAY, *goes_on(2, "stray", "COMMIT", returned(1, NO))],
        "stray: COMMIT → complete: refused",
    ),
}


@pytest.mark.parametrize(("events", "expected"), SAYINGS.values(), ids=SAYINGS)
def test_a_turn_in_words(events: Sequence[Event], expected: str) -> None:
    assert words(drawn(events)[-1]) == expected


def test_the_death_of_a_publisher_is_shown_once() -> None:
    begun = [StepBegan(0, 1, "publish", {"stepwise": True}), invoked(1, "publish", "publisher")]
    died = [*dies(2, "publisher", "kill_before_commit")[:3], history.PublicationLost(0, "j1")]
    assert words(drawn(begun, died)[-1]) == "K publisher: before COMMIT"


def strokes(by: str, *parts: Sequence[Event]) -> list[str]:
    bars = [one.flight_bars.get(by) for one in drawn(*parts)]
    return [str(bar.after) if bar is not None else "" for bar in bars]


def test_a_bar_runs_from_the_beginning_over_the_transaction_to_the_end() -> None:
    assert strokes("A", B_WAITS, A_COMMITS) == [Stroke.THIN, Stroke.FULL, Stroke.FULL, Stroke.NONE]
    assert strokes("B", B_WAITS, A_COMMITS) == ["", "", Stroke.DOTTED, Stroke.FULL]


def test_only_workers_have_bars() -> None:
    assert strokes("stray", STRAY) == [""]


def test_the_legend_explains_operations_in_flight_only_if_there_are_any() -> None:
    pages = [
        rendered(Page("PASS", OURS, events, meaning="nothing broke"))
        for events in ([*created(), *call(2, "prepare", answer=NO)], B_WAITS)
    ]
    assert ["it waits for a lock" in page for page in pages] == [False, True]
