"""A system that does not repeat itself is told by the call that answered differently."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from statemachine.history.events import Raised
from statemachine.search.control import SearchControl
from statemachine.search.engine import search, sized
from statemachine.search.run import Run
from statemachine.search.triage.repeats import answered_differently, first_difference
from statemachine.search.triage.script import play
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.support.scripts import MINIMAL


def test_a_system_that_repeats_itself_answers_no_call_differently(open_lane: OpenLane) -> None:
    with open_lane("completion_without_token") as lane:
        failure = play(lane, MINIMAL["completion_without_token"]).failure
        assert failure is not None
        assert answered_differently(lane, failure) == ""
        assert first_difference(failure.events, failure.events) == ""


def test_the_call_that_answered_differently_is_named_and_not_called_a_bug_of_ours(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, calls = lane.binding.create, count()

    def moody(job: str, tenant: str) -> Any:
        # As code that reads urandom may: one creation fails, and never again with the same input.
        if not job.startswith("bystander") and next(calls) == 4:
            raise RuntimeError("unlucky")
        return create(job, tenant)

    monkeypatch.setattr(lane.binding, "create", moody)
    control = SearchControl(Run(lane))
    search(control, 3, sized(30))
    assert control.failure is not None
    assert "the system does not repeat itself: at step" in control.unstable
    assert "create j" in control.unstable
    assert "RuntimeError: unlucky" in control.unstable
    assert "bug of ours" not in control.unstable


def test_keys_in_the_text_of_an_error_are_no_difference_and_words_are() -> None:
    def failed(text: str) -> list[Raised]:
        return [Raised(0, 1, f"IntegrityError: row {text}")]

    first = failed("0f8b7c52-9d1e is taken")
    assert first_difference(first, failed("77aa41de-0c0b is taken")) == ""
    assert "raised IntegrityError" in first_difference(first, failed("0f8b7c52-9d1e is gone"))
