"""A run as a value: what was played, what was reached, what was judged, and the verdict.

PASS means that no invariant was broken and every required situation came about; FAIL that one was
broken; UNKNOWN that nothing was broken but something required never happened or an invariant could
not judge.  A pass does not prove the system right: it says how much was tried, and what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from statemachine.example import Example, Lane
from statemachine.history import Event, StepBegan
from statemachine.invariants import Crashed, Violation
from statemachine.reach import Reach
from statemachine.verdict import Verdict
from statemachine.world.clock import real_seconds

__all__ = ["Failure", "InvariantBroken", "Run", "Verdict", "broken"]

EXAMPLES_TO_JUDGE_REACH = 1000
"""Below this a missed situation says more about the length of the run than about the machine."""


class InvariantBroken(AssertionError):
    """Raised inside an example to tell Hypothesis; each invariant has a subclass of its own.

    Hypothesis tells failures apart by their type, so a shrink cannot slip from one claim to another.
    """


_raised_for: dict[str, type[InvariantBroken]] = {}


def broken(violation: Violation) -> InvariantBroken:
    """The exception that stands for ``violation``."""
    name = violation.invariant
    kind = _raised_for.setdefault(name, type(name, (InvariantBroken,), {"__doc__": InvariantBroken.__doc__}))
    return kind(violation.story)


@dataclass(frozen=True)
class Failure:
    """A broken invariant with the history that breaks it, from its first step to the failing one."""

    headline: Violation
    others: tuple[Violation, ...]
    events: tuple[Event, ...]

    @classmethod
    def of(cls, example: Example) -> Failure | None:
        """What broke in ``example``, or None."""
        headline = example.judge.headline()
        if headline is None:
            return None
        others = tuple(seen for seen in example.judge.violations if seen is not headline)
        return cls(headline, others, tuple(example.events))

    @property
    def steps(self) -> list[StepBegan]:
        return [event for event in self.events if isinstance(event, StepBegan)]


@dataclass
class Run:
    """Collects what the examples of one lane did.  ``tick`` is called about once a step, to show life."""

    lane: Lane
    tick: Callable[[Run], None] = lambda run: None
    examples: int = 0
    steps: int = 0
    finding_examples: int = 0
    started: float = field(default_factory=real_seconds)
    found_after: float | None = None
    # The events of the first example in which most leases were taken: one worth looking at.
    specimen: Sequence[Event] = ()
    most_leases: int = -1
    reach: Reach = field(init=False)
    judged: Counter[str] = field(default_factory=Counter)
    crashed: list[Crashed] = field(default_factory=list)
    failure: Failure | None = None
    first_failure: Failure | None = None
    # As Hypothesis left it, before it was minimised.
    as_found: Failure | None = None
    seconds: float = 0
    # False while it plays, and for ever when it is interrupted.
    finished: bool = False
    unstable: str = ""
    seed: int | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.reach = Reach(self.lane.binding.lifecycle)

    def begin_example(self) -> Example:
        self.examples += 1
        return self.lane.begin(self.reach)

    def check(self, example: Example) -> None:
        """Raise if the step that was just played broke an invariant; remember the history that did."""
        if self.interrupted:
            raise KeyboardInterrupt
        self.tick(self)
        found = Failure.of(example)
        if found is None:
            return
        self.failure = found
        if self.first_failure is None:
            self.first_failure, self.finding_examples = self.failure, self.examples
            self.found_after = real_seconds() - self.started
        self._count(example)
        raise broken(found.headline)

    def end_example(self, example: Example) -> None:
        self._count(example)
        leases = example.ledger.acquisitions.total()
        if leases > self.most_leases:
            self.specimen, self.most_leases = example.events, leases

    def _count(self, example: Example) -> None:
        self.steps += example.steps
        self.judged.update(example.judge.judged)
        self.crashed += example.judge.crashed

    def stop(self) -> None:
        """Stop the clock of the run."""
        self.seconds = real_seconds() - self.started

    # -- verdict ----------------------------------------------------------------------------

    @property
    def judges_reach(self) -> bool:
        """Whether the run was long enough for a missed situation to count against it."""
        return self.examples >= EXAMPLES_TO_JUDGE_REACH

    @property
    def never_judged(self) -> list[str]:
        return [claim.name for claim in self.lane.claims if not self.judged[claim.name]]

    def doubts(self) -> Sequence[str]:
        """Why the run cannot say PASS although nothing was broken, a sentence each."""
        found = [] if self.finished else ["the run was interrupted"]
        found += [
            f"invariant {crash.invariant} crashed ({crash.error}) at {crash.event}"
            for crash in self.crashed[:3]
        ]
        if self.judges_reach and self.finished:
            found += [f"required situation never met: {cell}" for cell in self.reach.missed()]
            found += [f"invariant never judged: {name}" for name in self.never_judged]
        return found

    @property
    def verdict(self) -> Verdict:
        if self.failure is not None:
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.doubts() else Verdict.PASS
