"""Why a failure happens, found by playing it again with one thing changed at a time.

Each step before the failing one is dropped, and each move of time is made a second shorter and a
second longer; a failure in which no time passes is also played with a second between its steps, since
on a frozen clock everything else happens at once.  What is said is what such a re-run did: that the
claim breaks without a step shows that the step is no cause, but that it holds does not show that the
step is the only one.  Nothing is tried in place of a dropped step, so later steps may not be possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from statemachine.history import ClockMoved, StepBegan
from statemachine.lane import Lane
from statemachine.run import Failure
from statemachine.script import Played, Step, Steps, in_drain, play, steps_of

BUDGET = 8000
"""Steps that all re-runs of one failure may take together: about 3 s.  A failure of 15 needs about 350."""

TIME_MOVES = {"advance_to": "offset", "wait": "seconds"}
"""The operations that move time, with the argument whose seconds are changed."""


@dataclass(frozen=True, slots=True)
class Again:
    """The same steps once more: without this one, no other re-run would mean anything."""


@dataclass(frozen=True, slots=True)
class Without:
    """One step dropped."""

    step: int


@dataclass(frozen=True, slots=True)
class Until:
    """A move of time that ends at second ``at``; ``edge`` names the deadline that this meets exactly."""

    step: int
    at: float
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Apart:
    """``seconds`` pass between any two steps."""

    seconds: int


Change = Again | Without | Until | Apart


class Result(StrEnum):
    FAILS = "FAILS"
    OTHER = "breaks another invariant"
    PASSES = "passes"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class Rerun:
    """One re-run.  ``detail`` names the other invariant, or says what a step that could not be played lacked.

    NOT_POSSIBLE is said of the step that was changed, or else of the failing one.
    """

    change: Change
    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """All re-runs that were made, in a fixed order; ``wanted`` is how many there would have been.

    ``moves`` are the failure's own moves of time, which :class:`Again` played unchanged.
    """

    reruns: tuple[Rerun, ...]
    wanted: int
    moves: tuple[Until, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether the unchanged steps broke the same claim again."""
        return self.reruns[0].result is Result.FAILS


class _Variation(NamedTuple):
    """A script that differs by ``change``; ``changed`` is the step that must be possible for that."""

    change: Change
    steps: Steps
    changed: int | None = None


def explain(lane: Lane, failure: Failure, budget: int = BUDGET) -> Why:
    """Re-run ``failure`` on the open ``lane`` with one thing changed at a time, for ``budget`` steps.

    When the unchanged steps do not break the same claim again, that is the only re-run.
    """
    steps = steps_of(failure)
    moves = _moves(failure, steps)
    variations = [_Variation(Again(), steps), *_variations(steps, moves, failure.headline.step)]
    reruns: list[Rerun] = []
    for variation in variations:
        played = play(lane, variation.steps, drained=in_drain(failure))
        budget -= played.example.steps
        reruns.append(_judged(failure, variation, played))
        if reruns[0].result is not Result.FAILS:
            return Why(tuple(reruns), wanted=1)
        if budget <= 0:
            break
    return Why(tuple(reruns), len(variations), moves)


def _judged(failure: Failure, variation: _Variation, played: Played) -> Rerun:
    change, left_out = variation.change, played.left_out
    if variation.changed is not None and variation.changed in left_out:
        return Rerun(change, Result.NOT_POSSIBLE, left_out[variation.changed])
    if played.failure is not None:
        seen, sought = played.failure.headline.invariant, failure.headline.invariant
        return Rerun(change, Result.FAILS) if seen == sought else Rerun(change, Result.OTHER, seen)
    failing = failure.headline.step
    if failing in left_out:
        return Rerun(change, Result.NOT_POSSIBLE, left_out[failing])
    return Rerun(change, Result.PASSES)


def _moves(failure: Failure, steps: Steps) -> tuple[Until, ...]:
    ends: dict[int, float] = {}
    began = 0
    for event in failure.events:
        if isinstance(event, StepBegan):
            began = event.step
        elif isinstance(event, ClockMoved):
            ends[began] = event.at
    return tuple(
        Until(step.key, ends[step.key], _edge(step.arguments))
        for step in steps
        if step.operation in TIME_MOVES
    )


def _edge(arguments: Mapping[str, Any]) -> str:
    """The kind of the deadline that a move of time meets to the second, or empty."""
    return "" if arguments.get("offset") else str(arguments.get("deadline", ""))


def _variations(steps: Steps, moves: Sequence[Until], failing: int) -> Iterator[_Variation]:
    """Moves of time come first and then the last steps: what is nearest to the failure, if cut short."""
    for move in moves:
        yield from _shifted(steps, move)
    if not moves and len(steps) > 1:
        yield _Variation(Apart(1), _apart(steps))
    for step in reversed(steps):
        # All before the failing step was right when it was judged: there is no need to drop that one.
        if step.key != failing:
            yield _Variation(Without(step.key), [other for other in steps if other is not step])


def _shifted(steps: Steps, move: Until) -> Iterator[_Variation]:
    place = next(place for place, step in enumerate(steps) if step.key == move.step)
    step = steps[place]
    name = TIME_MOVES[step.operation]
    for shift in (-1, 1):
        arguments = {**step.arguments, name: step.arguments.get(name, 0) + shift}
        if arguments.get("seconds") == 0:
            continue  # that is the script without this step, which is played anyway
        shifted = [*steps[:place], step._replace(arguments=arguments), *steps[place + 1 :]]
        yield _Variation(Until(step.key, move.at + shift, _edge(arguments)), shifted, step.key)


def _apart(steps: Steps) -> list[Step]:
    # A wait creates nothing, so its number names nothing.
    wait = Step(0, "wait", {"seconds": 1})
    return [*chain.from_iterable((step, wait) for step in steps[:-1]), steps[-1]]
