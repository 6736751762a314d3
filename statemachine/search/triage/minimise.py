"""Delta debugging over named steps: drop steps and simplify the rest while the same claim stays broken.

Hypothesis shrinks the choices that it drew, and a choice among the possible operations means something else
as soon as an earlier step is gone: on the first defects it took 7 to 60 s and stopped at two to three times
the minimal length.  A named step keeps its meaning.  On one deep defect Hypothesis left 16 to 48 events
after 12 s; dropping named steps left 13 to 19 after 10 to 50 ms.

Plain delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002) drops
runs of steps; it sticks where a step can only go when another one is written otherwise, or where two that
are not side by side can only go together.  The further passes are for those cases.

A minimal history is one of which no one or two steps can be dropped and no single argument made simpler.
An entirely different, shorter history may exist.
"""

from __future__ import annotations

from collections.abc import Collection

from statemachine.search.triage.budget import TimeBudget
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.rewriting import (
    about,
    alternatives,
    by_a_worker,
    by_the_publisher,
    by_the_same_message,
    in_turn,
    nearest,
    renumbered,
    simpler_steps,
    whole,
)
from statemachine.search.triage.script import Step, Steps, as_written, play
from statemachine.search.triage.signature import Signature
from statemachine.world.exits import GivenUp
from statemachine.world.lane import Lane

_SHORT_RUNS = (4, 3, 2)
"""Lengths of the runs that drop_runs drops, such as receive, prepare, complete: one delivery."""


def minimise(
    lane: Lane, failure: Failure, others: Collection[Signature] = (), budget: TimeBudget | None = None
) -> Failure:
    """Return a minimal failure of the same kind, with steps renumbered from 1; ``lane`` must be open.

    Of the same kind is one that breaks the same claim by the same kind of actor, and loses a job in the same
    status if it loses one; only a stray may give way to another actor (:meth:`Signature.is_kept_by`).

    ``others`` are signatures found already.  Dropping steps may turn one bug into another that breaks the
    same claim; a history with such a signature is not taken, or two findings would become one.

    When ``budget``, by default a minute, is spent, the shortest history by then is returned.
    """
    # With the same operation they may well be one bug in two situations: those are left to fall together.
    others = {signature for signature in others if signature.operation != failure.signature.operation}
    best = _Attempt(lane, failure, others, budget or TimeBudget())
    # The steps of a drain are ordinary operations: played as such, they can be dropped like any other.
    # Only a claim about the end (all is quiet, and a job has not ended) breaks in no other way.
    if any(step.drain for step in failure.steps) and not best.try_steps(best.steps):
        best.in_drain = True
    # One replay in place of dozens: most of a long history is about other jobs.
    best.try_steps(about(failure.headline.subject, best.steps))
    # First of all, since what a worker needs for its call is soon dropped when a stray does without it.
    while best.failure.signature.by_a_stray and any(map(best.try_steps, by_a_worker(best.steps))):
        pass
    # From the cheapest to the dearest, and back to the first one whenever a pass has gained something, since
    # what it changed may let steps go.  For n steps: drop_steps about 2n replays; play_whole and simplify a
    # few for each step; drop_runs 3n; drop_pairs n²/2, so only once little is left; rewrite repeats the
    # passes for each script that it tries.
    while (
        best.drop_steps()
        or best.play_whole()
        or best.simplify()
        or best.drop_runs()
        or best.drop_pairs()
        or best.rewrite()
    ):
        pass
    # Other names may give another order to jobs or messages, so this is tried like everything else.  It is a
    # single replay, and without it a report would speak of j17 and worker C.
    best.try_steps(renumbered(best.steps), at_any_cost=True)
    return best.failure


class _Attempt:
    """The best failing history so far, and the passes that look for a better one."""

    def __init__(
        self, lane: Lane, failure: Failure, others: Collection[Signature], budget: TimeBudget
    ) -> None:
        self.lane = lane
        self.failure = failure
        self.others = others
        self.budget = budget
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
        """Play ``steps`` as far as possible; keep it, and return True, if it is of the same kind.

        Once the lane's limit of steps is reached, or the budget is spent, only what is tried ``at_any_cost``
        is played.
        """
        # Playing is deterministic, and the passes come to the same script again and again.
        key = (self.in_drain, *((step.key, step.operation, *step.arguments.items()) for step in steps))
        if key in self._tried or (self._is_over and not at_any_cost):
            return False
        self._tried.add(key)
        # The freest way first: it leaves nothing out that anything could stand in for, and so keeps more
        # failures alive.  A stand-in can also lead away from the failure, so the stricter ways follow.
        for ways in (nearest, by_the_same_message, as_written):
            try:
                played = play(self.lane, steps, drained=self.in_drain, ways=ways)
            except GivenUp:
                # Each further one that hangs would take as long again.
                self.lane.abandon()
                self.budget.seconds, self.budget.cut = 0, True
                return False
            self._steps_left -= played.example.steps
            found = played.failure
            if found is not None and self._is_the_same(found):
                self.failure = found
                return True
            if not played.stood_in:
                break  # the stricter ways would play the same
        return False

    @property
    def _is_over(self) -> bool:
        if self._steps_left < 0:
            self.budget.cut = True
        return self.budget.is_spent()

    def _is_the_same(self, found: Failure) -> bool:
        return self.failure.signature.is_kept_by(found.signature) and found.signature not in self.others

    def play_whole(self) -> bool:
        """Play operations whole that were stopped before each statement; return whether any could be."""
        before = self.failure
        while any(self.try_steps(script) for script in whole(self.steps)):
            pass
        return self.failure is not before

    def drop_steps(self) -> bool:
        """Drop ever smaller runs of adjacent steps; return whether any could go."""
        # From the end: later steps depend on earlier ones, so those that nothing depends on go first.
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
        """Drop one short run of steps, wherever it begins; return whether one could go."""
        # drop_steps cuts at multiples of a run's length only, and a delivery seldom begins at one.
        for size in _SHORT_RUNS:
            for end in range(len(self.steps) - 1, size - 1, -1):
                if self._try_without(end - size, end):
                    return True
        return False

    def _try_without(self, start: int, end: int) -> bool:
        steps = self.steps
        return self.try_steps([*steps[:start], *steps[end:]])

    def drop_pairs(self) -> bool:
        """Drop any two steps at once; return whether two could go.

        For steps that cancel out: without only one of them the rest goes otherwise.
        """
        steps = self.steps
        for first in range(len(steps) - 1, -1, -1):
            for second in range(first - 1, -1, -1):
                rest = [step for place, step in enumerate(steps) if place not in (first, second)]
                if self.try_steps(rest):
                    return True
        return False

    def rewrite(self) -> bool:
        """Write a step otherwise, and keep that if another step can go for it; return whether one could."""
        # The other writing is no simpler in itself: were it kept anyway, the passes might never end.
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
        """Make arguments simpler, one by one; return whether any could be."""
        simplified = False
        while self._simplify_one():
            simplified = True
        return simplified

    def _simplify_one(self) -> bool:
        steps = self.steps
        job = self.failure.headline.subject
        otherwise = (*in_turn(steps), *by_the_publisher(steps, job), *by_a_worker(steps))
        if any(self.try_steps(script) for script in otherwise):
            return True
        for place, step in enumerate(steps):
            for simpler in simpler_steps(step, job):
                if self.try_steps([*steps[:place], simpler, *steps[place + 1 :]]):
                    return True
        return False
