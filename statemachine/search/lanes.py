"""The lanes that play examples in one process, and in what they differ: machine, situations, size.

In the embedded lane whole operations interleave, and kills strike inside them: SQLite ignores
``select_for_update`` and runs one writer at a time, so a race between two open transactions cannot be seen
there.  Real processes are no such lane: nothing there is chosen step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import settings

from statemachine.history.overlaps import OverlapReach
from statemachine.history.reach import Reach
from statemachine.lifecycle import Lifecycle
from statemachine.search.contention import TransactionsMachine
from statemachine.search.machine import JobMachine, OfferingMachine
from statemachine.search.run import EXAMPLES_TO_JUDGE_REACH, Run
from statemachine.world.lane import Lane


@dataclass(frozen=True)
class LaneKind:
    """How a lane is searched."""

    name: str
    machine: type[OfferingMachine]
    reach_of: Callable[[Lifecycle, Mapping[str, str]], Reach]
    """Makes the counter of its situations, of the lifecycle and of what is unreachable."""
    judges_reach_from: int
    """A run of fewer examples does not say that a situation was missed."""
    one_in: int = 1
    """The profile's number of examples is divided by this."""
    least: int = 1
    """The fewest examples under a profile that judges reach in the embedded lane."""
    steps: int | None = None
    """Of an example; None for as many as the profile says."""
    most_findings: int = 1000
    """The search ends with this number of failures: each is minimised, which takes long."""

    def size(self, profile: settings) -> settings:
        """``profile`` with as many examples, of as many steps, as this lane plays under it."""
        least = self.least if profile.max_examples >= EXAMPLES_TO_JUDGE_REACH else 1
        examples = max(profile.max_examples // self.one_in, least)
        steps = self.steps if self.steps is not None else profile.stateful_step_count
        return settings(profile, max_examples=examples, stateful_step_count=steps)

    def new_run(self, lane: Lane) -> Run:
        """Return a run that counts and judges the situations of this kind."""
        return Run(lane, self.reach_of, self.judges_reach_from)


EMBEDDED = LaneKind("embedded", JobMachine, Reach, EXAMPLES_TO_JUDGE_REACH)
TRANSACTIONS = LaneKind(
    "transactions",
    TransactionsMachine,
    OverlapReach,
    judges_reach_from=75,
    one_in=16,
    least=125,
    steps=120,
    most_findings=3,
)
KINDS: Mapping[str, LaneKind] = {kind.name: kind for kind in (EMBEDDED, TRANSACTIONS)}
