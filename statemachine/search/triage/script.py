"""A script: named steps without Hypothesis, and the one way to play them.

Minimising, explaining, corpora and hand-written histories play steps that the present state may not
allow, because an earlier step was dropped or the system was mended.  Such a step is left out, and
:class:`PlayedScript` says so: a history that breaks nothing shows little when half of it never happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from statemachine.history.events import DrainBegan, Event, StepBegan
from statemachine.search.triage.failure import Failure
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import NotPossible, perform
from statemachine.world.operations.drain import drain

EARLIER = "earlier.ndjson"
"""Beside a history: the example that must be played before it, in the same process."""


class Step(NamedTuple):
    """A named operation to play."""

    key: int
    """The number in the names of what the step creates: step 2 creates j2 or m2, wherever it stands.

    So a step keeps its meaning when an earlier one is dropped.
    """
    operation: str
    arguments: dict[str, Any]


Steps = Sequence[Step]

Ways = Callable[[Example, Step], Iterable[tuple[str, dict[str, Any]]]]
"""Gives the operations, with their arguments, that may be played for a step, the best first."""


def steps_of(failure: Failure) -> list[Step]:
    """Return the steps of a failure without those of its drain, which follow from the state."""
    return steps_in(failure.events)


def steps_in(events: Iterable[Event]) -> list[Step]:
    """Return the steps of a history without those of its drain."""
    return [
        Step(event.step, event.operation, dict(event.arguments))
        for event in events
        if isinstance(event, StepBegan) and not event.drain
    ]


def in_drain(failure: Failure) -> bool:
    """Return whether the claim broke in the drain, so that the steps alone do not show it."""
    return any(step.drain for step in failure.steps) or any(
        isinstance(event, DrainBegan) for event in failure.events
    )


@dataclass(frozen=True)
class PlayedScript:
    """A script that was played."""

    example: Example
    left_out: Mapping[int, str]
    """Why a step was not possible, by its key."""
    stood_in: bool = False
    """Whether something else was played for any step."""

    @property
    def failure(self) -> Failure | None:
        """The claim that it broke, or None."""
        return Failure.of(self.example)


def as_written(example: Example, step: Step) -> Iterable[tuple[str, dict[str, Any]]]:
    """Give the step itself, and nothing in its place."""
    return ((step.operation, step.arguments),)


def play(lane: Lane, steps: Steps, *, drained: bool = False, ways: Ways = as_written) -> PlayedScript:
    """Play ``steps`` on the open ``lane`` up to the first violation, then the drain if ``drained``."""
    example = lane.begin()
    left_out: dict[int, str] = {}
    stood_in = False
    for step in steps:
        reasons, played = _play_step(example, step, ways)
        if not played:
            # The step as written, which comes first, is the one that a reader knows.
            left_out[step.key] = reasons[0]
        stood_in = stood_in or (played and bool(reasons))
        if example.judge.violations:
            break
    if drained and not example.judge.violations:
        drain(example)
    return PlayedScript(example, left_out, stood_in)


def _play_step(example: Example, step: Step, ways: Ways) -> tuple[list[str], bool]:
    """Play the first way that is possible.

    Return why the ways before it were not possible, and whether one was.
    """
    reasons: list[str] = []
    for operation, arguments in ways(example, step):
        try:
            perform(example, operation, arguments, key=step.key)
        except NotPossible as error:
            reasons.append(str(error))
        else:
            return reasons, True
    return reasons, False
