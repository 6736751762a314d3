"""Play a saved history again, step by named step, without Hypothesis.

Three outcomes, since a system changes between the two runs.  A history ends at its first violation, so
everything before its failing step was right when it was saved; where the system now behaves differently
before that step, the history says nothing about it any more.

A replay shows that this one interleaving is mended, not that its neighbours are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import zip_longest

from statemachine.history.events import DrainBegan, Event, StepBegan
from statemachine.history.ndjson import Header
from statemachine.invariants import Violation
from statemachine.invariants.claim import Invariant
from statemachine.invariants.judge import Judge, judge
from statemachine.lifecycle import Lifecycle
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.repeats import alike
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import NotPossible, Unplayable, perform
from statemachine.world.operations.drain import drain


class ReplayOutcome(StrEnum):
    """What a replay shows of a saved failure."""

    REPRODUCED = "REPRODUCED"
    """The same invariant broke at the same step, or in the drain if it did so there."""
    FIXED = "FIXED"
    """Everything before the failing step, or before the drain, went as saved, and nothing broke."""
    DIVERGED = "DIVERGED"
    """The system behaved differently before the failing step, or another invariant broke."""


@dataclass(frozen=True)
class Difference:
    """Where a replay left the saved history."""

    step: StepBegan | None
    """The step at which it did, None for the drain."""
    expected: str
    """The event, the operation or the broken invariant that was saved."""
    got: str = ""
    """What happened in its place."""
    refused: str = ""
    """Why the step was not possible, empty if it was."""


@dataclass(frozen=True)
class Replayed:
    """The result of a replay; :mod:`statemachine.report.text.replay` puts it in words."""

    outcome: ReplayOutcome
    events: tuple[Event, ...]
    """The history that was played now."""
    failure: Failure | None
    """What broke in it, None when nothing did."""
    difference: Difference | None = None
    """Set for DIVERGED, and for FIXED where the failing step is not possible any more."""


class ReplayError(ValueError):
    """A history that says nothing about this binding; the message names both sides and the way out."""


def replay(lane: Lane, header: Header, saved: Sequence[Event]) -> Replayed:
    """Play ``saved`` on the open ``lane`` and compare, event by event.

    Raise :class:`ReplayError` when it was recorded under another lifecycle or breaks nothing itself.
    """
    _check_lifecycle(header, lane)
    sought = judged(header.lifecycle, lane.claims, saved).headline()
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
            outcome = ReplayOutcome.FIXED if failing else ReplayOutcome.DIVERGED
            return _end(example, outcome, Difference(step, step.operation, refused=str(error)))
        headline = example.judge.headline()
        if headline is not None:
            return _broken(example, step, sought, headline)
        # The failing step itself has to differ: otherwise it would break the claim again.
        if not failing:
            difference = _first_difference(step, saved[place:end], example.events[place:])
            if difference is not None:
                return _end(example, ReplayOutcome.DIVERGED, difference)
    if any(map(_is_of_the_drain, saved)):
        drain(example)
        headline = example.judge.headline()
        if headline is not None and headline.invariant != sought.invariant:
            broken = Difference(None, f"{sought.invariant} broken", headline.invariant)
            return _end(example, ReplayOutcome.DIVERGED, broken)
        if headline is not None:
            return _end(example, ReplayOutcome.REPRODUCED)
    return _end(example, ReplayOutcome.FIXED)


def judged(lifecycle: Lifecycle, claims: Iterable[Invariant], saved: Sequence[Event]) -> Judge:
    """Judge a saved history.  Raise :class:`ReplayError` for one whose events contradict one another."""
    try:
        return judge(lifecycle, claims, saved)
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise ReplayError(
            f"the history is not whole ({type(error).__name__}: {error}): an event speaks of something "
            "that no earlier one began; save or download it again"
        ) from None


def _broken(example: Example, step: StepBegan, sought: Violation, seen: Violation) -> Replayed:
    if (seen.invariant, step.step) == (sought.invariant, sought.step):
        return _end(example, ReplayOutcome.REPRODUCED)
    expected = f"{sought.invariant} broken at step {sought.step}"
    return _end(example, ReplayOutcome.DIVERGED, Difference(step, expected, seen.invariant))


def _end(example: Example, outcome: ReplayOutcome, difference: Difference | None = None) -> Replayed:
    return Replayed(outcome, tuple(example.events), Failure.of(example), difference)


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
    """Yield each step before the drain with the places at which its events begin and end.

    The steps of the drain are not replayed: they follow from the state, so a drain runs afresh.
    """
    end = next((place for place, event in enumerate(saved) if _is_of_the_drain(event)), len(saved))
    marks = [(event, place) for place, event in enumerate(saved[:end]) if isinstance(event, StepBegan)]
    ends = [*(place for _, place in marks[1:]), end]
    return ((step, place, stop) for (step, place), stop in zip(marks, ends, strict=True))


def _is_of_the_drain(event: Event) -> bool:
    return isinstance(event, DrainBegan) or (isinstance(event, StepBegan) and event.drain)


def _first_difference(
    step: StepBegan, expected: Sequence[Event], played: Sequence[Event]
) -> Difference | None:
    """Return the first event of ``step`` that is not as saved, None when all are."""
    for wanted, found in zip_longest(expected, played):
        if not alike(wanted, found):
            return Difference(step, f"{wanted or 'nothing more'}", f"{found or 'nothing more'}")
    return None
