"""Delta debugging over named operations: drops steps and simplifies the rest while the claim stays broken.

Hypothesis shrinks choices, and the choices of a dispatch rule mean something else as soon as an
earlier step is gone: measured on the first defects, it took 7 to 60 s and stopped at two to three
times the minimal length.  Named steps keep their meaning, so a second of replays does better.

Minimal means: no one or two steps can be dropped and no single argument made simpler.  It does not
mean that no entirely different, shorter history exists.
"""

from __future__ import annotations

from collections.abc import Collection

from statemachine.search.triage.failure import Failure
from statemachine.search.triage.rewriting import (
    about,
    alternatives,
    by_the_same_message,
    in_turn,
    nearest,
    renumbered,
    simpler_steps,
    told_to_publish,
    whole,
)
from statemachine.search.triage.script import Step, Steps, as_written, play
from statemachine.search.triage.signature import Shape
from statemachine.world.lane import Lane

_SHORT_RUNS = (4, 3, 2)


def minimise(lane: Lane, failure: Failure, others: Collection[Shape] = ()) -> Failure:
    """A failure of the same invariant that is minimal, renumbered from 1; ``lane`` must be open.

    It does not become one of the ``others``, that another operation ends in: those are found already.
    """
    others = {shape for shape in others if shape.operation != failure.shape.operation}
    best = _Attempt(lane, failure, others)
    # The drain's moves are ordinary operations: played as such, they can be dropped like any other.
    # Only what a drain itself proves, that all is quiet and a job has not ended, needs the drain.
    if any(step.drain for step in failure.steps) and not best.try_steps(best.steps):
        best.in_drain = True
    best.try_steps(about(failure.headline.subject, best.steps))
    while (
        best.drop_steps()
        or best.play_whole()
        or best.simplify()
        or best.drop_runs()
        or best.drop_pairs()
        or best.rewrite()
    ):
        pass
    best.try_steps(renumbered(best.steps), at_any_cost=True)
    return best.failure


class _Attempt:
    """The shortest failing history so far, and the ways to a shorter one."""

    def __init__(self, lane: Lane, failure: Failure, others: Collection[Shape]) -> None:
        self.lane = lane
        self.failure = failure
        self.others = others
        self.in_drain = False
        self._tried: set[tuple[object, ...]] = set()
        self._steps_left = lane.steps_to_minimise

    @property
    def steps(self) -> list[Step]:
        return [
            Step(step.step, step.operation, dict(step.arguments))
            for step in self.failure.steps
            if not (step.drain and self.in_drain)
        ]

    def try_steps(self, steps: Steps, at_any_cost: bool = False) -> bool:
        """Play ``steps``, as far as they are possible; keep what was played if the same claim breaks.

        Nothing is played once the lane's limit is reached, but what is tried ``at_any_cost``.
        """
        # What has not failed once will not fail when it is tried again.
        key = (self.in_drain, *((step.key, step.operation, *step.arguments.items()) for step in steps))
        if key in self._tried or (self._steps_left < 0 and not at_any_cost):
            return False
        self._tried.add(key)
        for ways in (nearest, by_the_same_message, as_written):
            played = play(self.lane, steps, drained=self.in_drain, ways=ways)
            self._steps_left -= played.example.steps
            found = played.failure
            if found is not None and self._is_the_same(found):
                self.failure = found
                return True
            if not played.stood_in:
                break
        return False

    def _is_the_same(self, found: Failure) -> bool:
        same = found.headline.invariant == self.failure.headline.invariant
        return same and found.shape not in self.others

    def play_whole(self) -> bool:
        """Play operations whole that were stopped before each statement; whether any could be."""
        before = self.failure
        while any(self.try_steps(script) for script in whole(self.steps)):
            pass
        return self.failure is not before

    def drop_steps(self) -> bool:
        """Drop ever smaller runs of steps, side by side from the end; whether anything could go."""
        before = len(self.steps)
        size = before // 2
        while size:
            end = len(self.steps)
            while end > 0:
                self._try_without(max(0, end - size), end)
                end -= size
            size //= 2
        return len(self.steps) < before

    def drop_runs(self) -> bool:
        """Drop a short run of steps wherever it begins: what belongs together seldom lies side by side."""
        for size in _SHORT_RUNS:
            for end in range(len(self.steps) - 1, size - 1, -1):
                if self._try_without(end - size, end):
                    return True
        return False

    def _try_without(self, start: int, end: int) -> bool:
        steps = self.steps
        return self.try_steps([*steps[:start], *steps[end:]])

    def drop_pairs(self) -> bool:
        """Drop two steps at a time, when one alone could not go; whether two could."""
        steps = self.steps
        for first in range(len(steps) - 1, -1, -1):
            for second in range(first - 1, -1, -1):
                rest = [step for place, step in enumerate(steps) if place not in (first, second)]
                if self.try_steps(rest):
                    return True
        return False

    def rewrite(self) -> bool:
        """Write a step otherwise, which is no simpler in itself; kept if another step can go for it."""
        before, length = self.failure, len(self.steps)
        for script in alternatives(self.steps, before):
            if self.try_steps(script):
                while self.play_whole() or self.drop_steps() or self.drop_runs():
                    pass
                if len(self.steps) < length:
                    return True
                self.failure = before
        return False

    def simplify(self) -> bool:
        """Make arguments simpler, one by one; whether any could be."""
        simplified = False
        while self._simplify_one():
            simplified = True
        return simplified

    def _simplify_one(self) -> bool:
        steps = self.steps
        job = self.failure.headline.subject
        if any(self.try_steps(script) for script in (*in_turn(steps), *told_to_publish(steps, job))):
            return True
        for place, step in enumerate(steps):
            for simpler in simpler_steps(step, job):
                if self.try_steps([*steps[:place], simpler, *steps[place + 1 :]]):
                    return True
        return False
