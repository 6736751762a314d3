"""The lanes that play examples in one process, and in what they differ: machine, reach, limits, size.

Real processes are no such lane: nothing there is chosen step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import settings

from statemachine.history.overlaps import OverlapReach
from statemachine.history.reach import Reach
from statemachine.lifecycle import Lifecycle
from statemachine.search.contention import TransactionsMachine
from statemachine.search.engine import LIMITS
from statemachine.search.machine import JobMachine, OfferingMachine
from statemachine.search.run import EXAMPLES_TO_JUDGE_REACH, Run
from statemachine.world.lane import Lane


@dataclass(frozen=True)
class LaneKind:
    """``limits`` says what a run of it cannot show, a line each.

    Where another lane plays ``one_in`` examples, it plays one, of ``steps`` each if that is given; a run of
    fewer than ``judges_reach_from`` does not say that a situation was missed.  After ``most_findings`` it
    looks for no further failure: each of them is minimised.
    """

    name: str
    machine: type[OfferingMachine]
    reach_of: Callable[[Lifecycle, Mapping[str, str]], Reach]
    limits: tuple[str, ...]
    judges_reach_from: int
    one_in: int = 1
    steps: int | None = None
    most_findings: int = 1000

    def size(self, profile: settings) -> settings:
        """``profile`` with as many examples, of as many steps, as this lane plays under it."""
        examples = max(profile.max_examples // self.one_in, 1)
        steps = self.steps if self.steps is not None else profile.stateful_step_count
        return settings(profile, max_examples=examples, stateful_step_count=steps)

    def new_run(self, lane: Lane) -> Run:
        """Return a run that counts and judges the situations of this kind."""
        return Run(lane, self.reach_of, self.judges_reach_from)


EMBEDDED = LaneKind("embedded", JobMachine, Reach, LIMITS, EXAMPLES_TO_JUDGE_REACH)
TRANSACTIONS = LaneKind(
    "transactions",
    TransactionsMachine,
    OverlapReach,
    (
        "At most two operations were in flight at once, and no time passed between two of their statements.",
        LIMITS[-1],
    ),
    judges_reach_from=75,
    one_in=16,
    steps=120,
    most_findings=3,
)
KINDS: Mapping[str, LaneKind] = {kind.name: kind for kind in (EMBEDDED, TRANSACTIONS)}
