"""A script: named steps without Hypothesis, and the one way to play them.

Minimising, explaining a failure and hand-written histories play steps that the present state may not
allow, because an earlier one was dropped or the system was mended.  Such a step is left out, and
:class:`Played` says so: a history that breaks nothing shows little when half of it never happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from statemachine.history.events import DrainBegan
from statemachine.search.triage.failure import Failure
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import NotPossible, perform
from statemachine.world.operations.drain import drain


class Step(NamedTuple):
    """A named operation to play; ``key`` is the number that what it creates is named after."""

    key: int
    operation: str
    arguments: dict[str, Any]


Steps = Sequence[Step]

Ways = Callable[[Example, Step], Iterable[tuple[str, dict[str, Any]]]]
"""Gives the operations with their arguments that may stand for a step, best first."""


def steps_of(failure: Failure) -> list[Step]:
    """The steps of a failure without those of its drain, which follow from the state."""
    return [Step(step.step, step.operation, dict(step.arguments)) for step in failure.steps if not step.drain]


def in_drain(failure: Failure) -> bool:
    """Whether the claim broke in the drain, so that the steps alone do not show it."""
    return any(step.drain for step in failure.steps) or any(
        isinstance(event, DrainBegan) for event in failure.events
    )


@dataclass(frozen=True)
class Played:
    """What came of a script.

    ``left_out`` says, by key, why a step was not possible; ``stood_in`` whether something else was played
    for any step.
    """

    example: Example
    left_out: Mapping[int, str]
    stood_in: bool = False

    @property
    def failure(self) -> Failure | None:
        return Failure.of(self.example)


def as_written(example: Example, step: Step) -> Iterable[tuple[str, dict[str, Any]]]:
    """The step itself, and nothing in its place."""
    return ((step.operation, step.arguments),)


def play(lane: Lane, steps: Steps, *, drained: bool = False, ways: Ways = as_written) -> Played:
    """Play ``steps`` on the open ``lane`` up to the first violation, then the drain if ``drained``."""
    example = lane.begin()
    left_out: dict[int, str] = {}
    stood_in = False
    for step in steps:
        reasons, played = _play_step(example, step, ways)
        if not played:
            left_out[step.key] = reasons[0]
        stood_in = stood_in or (played and bool(reasons))
        if example.judge.violations:
            break
    if drained and not example.judge.violations:
        drain(example)
    return Played(example, left_out, stood_in)


def _play_step(example: Example, step: Step, ways: Ways) -> tuple[list[str], bool]:
    """Play the first way that is possible: why the ones before it were not, and whether one was."""
    reasons: list[str] = []
    for operation, arguments in ways(example, step):
        try:
            perform(example, operation, arguments, key=step.key)
        except NotPossible as error:
            reasons.append(str(error))
        else:
            return reasons, True
    return reasons, False
