"""Plays a saved history again, step by named step, without Hypothesis.

Three outcomes.  REPRODUCED: the same invariant breaks at the same step, or in the drain if it was there.
FIXED: everything up to the failing step, or up to the drain, went as it was saved, and nothing breaks.
DIVERGED: the system behaves differently before the failing step is reached, so the history says nothing
about it any more; a history stops at its first violation, so all before it was right when it was saved.

A replay shows that this one interleaving is mended, not that its neighbours are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import zip_longest

from statemachine.history.events import DrainBegan, Event, StepBegan
from statemachine.history.ndjson import Header
from statemachine.invariants import Violation
from statemachine.invariants.judge import judge
from statemachine.search.triage.failure import Failure
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import NotPossible, Unplayable, perform
from statemachine.world.operations.drain import drain


class Outcome(StrEnum):
    REPRODUCED = "REPRODUCED"
    FIXED = "FIXED"
    DIVERGED = "DIVERGED"


@dataclass(frozen=True)
class Replayed:
    """What became of a replay: the outcome, in one sentence why, and the history that was played.

    ``failure`` is what broke in it, None when nothing did.
    """

    outcome: Outcome
    reason: str
    events: tuple[Event, ...]
    failure: Failure | None

    @property
    def sentence(self) -> str:
        """The outcome and its reason, as the end of a replay says them."""
        gap = " " if self.outcome is Outcome.DIVERGED else "  "
        return f"{self.outcome}{gap}{self.reason}"


class ReplayError(ValueError):
    """A history that says nothing about this binding; the message names both sides and the way out."""


def replay(lane: Lane, header: Header, saved: Sequence[Event]) -> Replayed:
    """Play ``saved`` on ``lane`` and compare.

    Raises :class:`ReplayError` when it was recorded under another lifecycle or breaks nothing itself.
    """
    _check_lifecycle(header, lane)
    try:
        sought = judge(header.lifecycle, lane.claims, saved).headline()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReplayError(
            f"the history is not whole ({type(error).__name__}: {error}): an event speaks of something "
            "that no earlier one began; save or download it again"
        ) from None
    if sought is None:
        raise ReplayError(
            "the saved history breaks none of the invariants that this binding is judged by: "
            "there is no failure to reproduce"
        )
    example = lane.begin()
    for step, place, end in _steps(saved):
        failing = step.step == sought.step
        try:
            perform(example, step.operation, step.arguments, key=step.step)
        except Unplayable as error:
            raise ReplayError(f"step {step.step} cannot be played: {error}") from None
        except NotPossible as error:
            if failing:
                return _end(example, Outcome.FIXED, f"step {step.step} no longer happens: {error}")
            return _diverged(example, step, f"expected {step.operation}, got: {error}")
        headline = example.judge.headline()
        if headline is not None:
            return _broken(example, step, sought, headline)
        if not failing:
            difference = _first_difference(saved[place:end], example.events[place:])
            if difference:
                return _diverged(example, step, difference)
    if any(map(_is_of_the_drain, saved)):
        drain(example)
        headline = example.judge.headline()
        if headline is not None and headline.invariant != sought.invariant:
            return _end(
                example,
                Outcome.DIVERGED,
                f"in the drain: expected {sought.invariant} broken, got {headline.invariant}",
            )
        if headline is not None:
            return _end(example, Outcome.REPRODUCED, headline.story)
    return _end(example, Outcome.FIXED, "every step went as it was saved, and nothing is broken any more")


def _broken(example: Example, step: StepBegan, sought: Violation, seen: Violation) -> Replayed:
    if (seen.invariant, step.step) == (sought.invariant, sought.step):
        return _end(example, Outcome.REPRODUCED, seen.story)
    what = f"expected {sought.invariant} broken at step {sought.step}, got {seen.invariant}"
    return _diverged(example, step, what)


def _diverged(example: Example, step: StepBegan, what: str) -> Replayed:
    return _end(example, Outcome.DIVERGED, f"at step {step.step} ({step.operation}): {what}")


def _end(example: Example, outcome: Outcome, reason: str) -> Replayed:
    return Replayed(outcome, reason, tuple(example.events), Failure.of(example))


def _check_lifecycle(header: Header, lane: Lane) -> None:
    saved, ours = header.lifecycle, lane.binding.lifecycle
    differing = [
        f"{field.name} {getattr(saved, field.name)} and not {getattr(ours, field.name)}"
        for field in fields(saved)
        if field.init and getattr(saved, field.name) != getattr(ours, field.name)
    ]
    if differing:
        raise ReplayError(
            f"the history was recorded with {', '.join(differing)}: replay it with the binding that it "
            f"names, {header.binding}"
        )


def _steps(saved: Sequence[Event]) -> Iterator[tuple[StepBegan, int, int]]:
    """Each step before the drain, with the places where its events begin and end.

    The drain is not replayed but run afresh: what it does follows from the state.
    """
    end = next((place for place, event in enumerate(saved) if _is_of_the_drain(event)), len(saved))
    marks = [(event, place) for place, event in enumerate(saved[:end]) if isinstance(event, StepBegan)]
    ends = [*(place for _, place in marks[1:]), end]
    return ((step, place, stop) for (step, place), stop in zip(marks, ends, strict=True))


def _is_of_the_drain(event: Event) -> bool:
    return isinstance(event, DrainBegan) or (isinstance(event, StepBegan) and event.drain)


def _first_difference(expected: Sequence[Event], played: Sequence[Event]) -> str:
    """The first event of a step that is not as saved, in words; empty when there is none."""
    for wanted, found in zip_longest(expected, played):
        if wanted != found:
            return f"expected {wanted or 'nothing more'}, got {found or 'nothing more'}"
    return ""
