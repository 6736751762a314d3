"""Delta debugging over named operations: drops steps and simplifies the rest while the claim stays broken.

Hypothesis shrinks choices, and the choices of a dispatch rule mean something else as soon as an
earlier step is gone: measured on the first defects, it took 7 to 60 s and stopped at two to three
times the minimal length.  Named steps keep their meaning, so a second of replays does better.

Minimal means: no single step can be dropped and no single argument made simpler.  It does not mean
that no entirely different, shorter history exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from statemachine.drain import drain
from statemachine.example import Lane
from statemachine.operations import NotPossible, perform
from statemachine.run import Failure
from statemachine.world.workers import WORKERS


class Step(NamedTuple):
    """A named operation to play; ``key`` is the number that what it creates is named after."""

    key: int
    operation: str
    arguments: dict[str, Any]


Steps = Sequence[Step]


def minimise(lane: Lane, failure: Failure) -> Failure:
    """A failure of the same invariant that is minimal, renumbered from 1; ``lane`` must be open."""
    in_drain = any(step.drain for step in failure.steps)
    best = _Attempt(lane, failure, in_drain)
    best.try_steps(_about(failure.headline.subject, best.steps))
    while best.drop_steps() or best.simplify():
        pass
    best.try_steps(_renumbered(best.steps))
    return best.failure


class _Attempt:
    """The shortest failing history so far, and the ways to a shorter one."""

    def __init__(self, lane: Lane, failure: Failure, in_drain: bool) -> None:
        self.lane = lane
        self.failure = failure
        self.in_drain = in_drain

    @property
    def steps(self) -> list[Step]:
        return [
            Step(step.step, step.operation, dict(step.arguments))
            for step in self.failure.steps
            if not step.drain
        ]

    def try_steps(self, steps: Steps) -> bool:
        """Play ``steps``, leaving out what is not possible; keep them if the same claim breaks."""
        example = self.lane.begin()
        for step in steps:
            try:
                perform(example, step.operation, step.arguments, key=step.key)
            except NotPossible:
                continue
            if example.judge.violations:
                break
        if self.in_drain and not example.judge.violations:
            drain(example)
        found = Failure.of(example)
        if found is None or found.headline.invariant != self.failure.headline.invariant:
            return False
        self.failure = found
        return True

    def drop_steps(self) -> bool:
        """Drop ever smaller runs of steps, from the end; whether anything could go."""
        before = len(self.steps)
        size = before // 2
        while size:
            end = len(self.steps)
            while end > 0:
                steps = self.steps
                start = max(0, end - size)
                self.try_steps([*steps[:start], *steps[end:]])
                end = start
            size //= 2
        return len(self.steps) < before

    def simplify(self) -> bool:
        """Make one argument simpler; whether one could be."""
        steps = self.steps
        for place, step in enumerate(steps):
            for simpler in _simpler(step, self.failure.headline.subject):
                if self.try_steps([*steps[:place], simpler, *steps[place + 1 :]]):
                    return True
        return False


def _about(job: str, steps: Steps) -> list[Step]:
    """The steps that name no other job: most of a long history is about somebody else's."""
    others = {step.arguments["job"] for step in steps if step.operation == "create"} - {job}
    return [step for step in steps if others.isdisjoint(map(str, step.arguments.values()))]


def _simpler(step: Step, job: str) -> Iterator[Step]:
    arguments = step.arguments
    if step.operation == "recover":
        # What the sweep sent, the publisher could have: same key, so the message keeps its name.
        yield step._replace(operation="publish", arguments={"job": job})
    if "fault" in arguments:
        yield step._replace(arguments={name: arguments[name] for name in arguments if name != "fault"})
    if arguments.get("offset"):
        yield step._replace(arguments={**arguments, "offset": 0})


def _renumbered(steps: Steps) -> list[Step]:
    """The same steps with keys from 1 on, workers by first appearance, and all names to match."""
    numbers = {str(step.key): str(place) for place, step in enumerate(steps, start=1)}
    seen = dict.fromkeys(step.arguments["worker"] for step in steps if "worker" in step.arguments)
    workers = dict(zip(seen, WORKERS, strict=False))

    def renamed(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        named = re.fullmatch(r"([jm])(\d+)((?:\.\d+)?)", value)
        if named:
            return named[1] + numbers.get(named[2], named[2]) + named[3]
        return workers.get(value, value)

    return [
        Step(place, step.operation, {name: renamed(value) for name, value in step.arguments.items()})
        for place, step in enumerate(steps, start=1)
    ]
