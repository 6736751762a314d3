"""Delta debugging over named operations: drops steps and simplifies the rest while the claim stays broken.

Hypothesis shrinks choices, and the choices of a dispatch rule mean something else as soon as an
earlier step is gone: measured on the first defects, it took 7 to 60 s and stopped at two to three
times the minimal length.  Named steps keep their meaning, so a second of replays does better.

Minimal means: no one or two steps can be dropped and no single argument made simpler.  It does not
mean that no entirely different, shorter history exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from statemachine.example import Example, Lane
from statemachine.history import ClockMoved, StepBegan
from statemachine.run import Failure
from statemachine.script import Step, Steps, as_written, play
from statemachine.world.workers import WORKERS


def minimise(lane: Lane, failure: Failure) -> Failure:
    """A failure of the same invariant that is minimal, renumbered from 1; ``lane`` must be open."""
    best = _Attempt(lane, failure)
    # The drain's moves are ordinary operations: played as such, they can be dropped like any other.
    # Only what a drain itself proves, that all is quiet and a job has not ended, needs the drain.
    if any(step.drain for step in failure.steps) and not best.try_steps(best.steps):
        best.in_drain = True
    best.try_steps(_about(failure.headline.subject, best.steps))
    while (
        best.drop_steps() or best.simplify() or best.drop_runs() or best.drop_pairs() or best.wait_instead()
    ):
        pass
    best.try_steps(_renumbered(best.steps))
    return best.failure


class _Attempt:
    """The shortest failing history so far, and the ways to a shorter one."""

    def __init__(self, lane: Lane, failure: Failure) -> None:
        self.lane = lane
        self.failure = failure
        self.in_drain = False
        self._tried: set[tuple[object, ...]] = set()

    @property
    def steps(self) -> list[Step]:
        return [
            Step(step.step, step.operation, dict(step.arguments))
            for step in self.failure.steps
            if not (step.drain and self.in_drain)
        ]

    def try_steps(self, steps: Steps) -> bool:
        """Play ``steps``, as far as they are possible; keep what was played if the same claim breaks."""
        # What has not failed once will not fail when it is tried again.
        key = (self.in_drain, *((step.key, step.operation, *step.arguments.items()) for step in steps))
        if key in self._tried:
            return False
        self._tried.add(key)
        for ways in (_nearest, _by_the_same_message, as_written):
            played = play(self.lane, steps, drained=self.in_drain, ways=ways)
            found = played.failure
            if found is not None and found.headline.invariant == self.failure.headline.invariant:
                self.failure = found
                return True
            if not played.stood_in:
                break
        return False

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

    def wait_instead(self) -> bool:
        """Let a move to a deadline be a wait of the same length; kept if another step can go for it.

        Time often passes up to the edge of some other job's message, which then cannot be dropped.
        """
        before = self.failure
        for place, step in enumerate(self.steps):
            if step.operation != "advance_to":
                continue
            wait = step._replace(operation="wait", arguments={"seconds": _length(before, step.key)})
            steps = self.steps
            if self.try_steps([*steps[:place], wait, *steps[place + 1 :]]):
                if self.drop_steps() or self.drop_runs():
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
        for place, step in enumerate(steps):
            for simpler in _simpler(step, self.failure.headline.subject):
                if self.try_steps([*steps[:place], simpler, *steps[place + 1 :]]):
                    return True
        return False


def _length(failure: Failure, key: int) -> float:
    """How many seconds pass in step ``key``."""
    step, seconds = 0, 0.0
    for event in failure.events:
        if isinstance(event, StepBegan):
            step = event.step
        elif isinstance(event, ClockMoved) and step == key:
            seconds += event.at - event.since
    return seconds


_SHORT_RUNS = (4, 3, 2)
_NOBODY = "0"
"""The number in the name of what no step creates, as of the job that a forged message names."""

_OTHERWISE = {"receive": "duplicate", "duplicate": "receive"}


def _nearest(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """The step itself, then what comes nearest to it: another worker, another message, a duplicate.

    When the step that made B receive is gone, what B did next may be what A can do now; when the
    wait before a receive is gone, a duplicate brings the same message.
    """
    yield step.operation, step.arguments
    if "worker" not in step.arguments:
        return
    messages = [*example.queue.messages, *example.queue.dead] if "message" in step.arguments else []
    for operation in (step.operation, _OTHERWISE.get(step.operation, step.operation)):
        for worker in (step.arguments["worker"], *example.workers):
            yield operation, {**step.arguments, "worker": worker}
            for message in messages:
                yield operation, {**step.arguments, "worker": worker, "message": message}


def _by_the_same_message(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """The step itself, or the same message brought to the same worker in the other way."""
    yield step.operation, step.arguments
    if step.operation in _OTHERWISE:
        yield _OTHERWISE[step.operation], step.arguments


def _about(job: str, steps: Steps) -> list[Step]:
    """The steps that name no other job: most of a long history is about somebody else's."""
    others = {step.arguments["job"] for step in steps if step.operation == "create"} - {job}
    return [step for step in steps if others.isdisjoint(map(str, step.arguments.values()))]


def _simpler(step: Step, job: str) -> Iterator[Step]:
    arguments = step.arguments
    if step.operation == "recover":
        # What the sweep sent, the publisher could have: same key, so the message keeps its name.
        yield step._replace(operation="publish", arguments={"job": job})
    # A strike is a fault and, unless it is the first of its kind, the place in the call that it strikes.
    for gone in ({"fault", "at"}, {"at"}):
        if not gone.isdisjoint(arguments):
            yield step._replace(arguments={name: arguments[name] for name in arguments if name not in gone})
    if step.operation == "advance_to":
        yield from (step._replace(arguments=edge) for edge in _plainer_edges(arguments, job))


def _plainer_edges(edge: Mapping[str, Any], job: str) -> Iterator[dict[str, Any]]:
    """The edges of ``job`` itself, and this one exactly: time often passes up to somebody else's edge."""
    own = [{"deadline": "lease", "of": job}, {"deadline": "recovery", "of": job}]
    aimed = {"deadline": edge["deadline"], "of": edge["of"]}
    yield from own[: own.index(aimed)] if aimed in own else own
    if edge.get("offset"):
        yield aimed


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
            return named[1] + numbers.get(named[2], _NOBODY) + named[3]
        return workers.get(value, value)

    return [
        Step(place, step.operation, {name: renamed(value) for name, value in step.arguments.items()})
        for place, step in enumerate(steps, start=1)
    ]
