"""A run as a value: what was played, what was reached, what was judged, and the verdict.

PASS means that no invariant was broken and every required situation came about; FAIL that one was
broken; UNKNOWN that nothing was broken but something required never happened, something that was said
to be unreachable did, or an invariant could not judge.  A pass does not prove the system right: it says
how much was tried, and what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from statemachine.history.events import Event
from statemachine.history.reach import Reach
from statemachine.history.words import counted
from statemachine.invariants import Crashed, Violation
from statemachine.invariants.verdict import Verdict
from statemachine.lifecycle import Lifecycle
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Shape
from statemachine.world.clock import real_seconds
from statemachine.world.example import Example
from statemachine.world.lane import Lane

__all__ = ["InvariantBroken", "KnownFailure", "Run", "Stopped", "Tally", "Verdict", "broken"]

EXAMPLES_TO_JUDGE_REACH = 1000
"""Below this a missed situation says more about the length of the run than about the machine."""


class InvariantBroken(AssertionError):
    """Raised inside an example to tell Hypothesis; each invariant has a subclass of its own.

    Hypothesis tells failures apart by their type, so a shrink cannot slip from one claim to another.
    """


class KnownFailure(Exception):
    """Raised inside an example that has met a failure once more of a shape that the run was told of."""


class Stopped(KeyboardInterrupt):
    """Raised inside an example when the run has been asked to stop.

    Only an interrupt ends Hypothesis at once: after any other error it looks at the half example once more,
    and finds it flaky.
    """


_raised_for: dict[str, type[InvariantBroken]] = {}


def broken(violation: Violation) -> InvariantBroken:
    """The exception that stands for ``violation``."""
    name = violation.invariant
    kind = _raised_for.setdefault(name, type(name, (InvariantBroken,), {"__doc__": InvariantBroken.__doc__}))
    return kind(violation.story)


class Tally(NamedTuple):
    """What examples came to, as a value that several processes can add up.

    ``met`` counts situations by cell, ``judged`` how often each claim was.
    """

    examples: int
    steps: int
    met: Counter[str]
    judged: Counter[str]
    crashed: tuple[Crashed, ...] = ()


@dataclass
class Run:
    """Collects what the examples of one lane did.  ``tick`` is called about once a step, to show life.

    Failures of the shapes in ``known`` are counted in ``met_again`` and do not end the run.  It ends at its
    next step when ``asked_to_stop`` says so, or when it has begun more than ``most_examples``: Hypothesis
    does not count those that met a known failure.  ``ended`` is called with each example that came to its
    end.
    """

    lane: Lane
    tick: Callable[[Run], None] = lambda run: None
    known: Collection[Shape] = ()
    asked_to_stop: Callable[[], bool] = lambda: False
    most_examples: int | None = None
    ended: Callable[[Example], None] = lambda example: None
    reach_of: Callable[[Lifecycle, Mapping[str, str]], Reach] = Reach
    judges_reach_from: int = EXAMPLES_TO_JUDGE_REACH
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
    met_again: Counter[Shape] = field(default_factory=Counter)
    # Searches of which nothing came, a sentence each.
    lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        binding = self.lane.binding
        self.reach = self.reach_of(binding.lifecycle, getattr(binding, "unreachable", {}))

    def begin_example(self) -> Example:
        self.examples += 1
        return self.lane.begin(self.reach)

    def check(self, example: Example) -> None:
        """Raise if the step that was just played broke an invariant; remember the history that did.

        Raises :class:`InvariantBroken`, or :class:`KnownFailure` if that was known, and :class:`Stopped`
        when the run is to end.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        self.tick(self)
        found = Failure.of(example)
        known = found is not None and found.shape in self.known
        if found is not None and known:
            self.met_again[found.shape] += 1
        if (found is None or known) and self._is_over:
            self._count(example)
            raise Stopped
        if found is None:
            return
        if known:
            self._count(example)
            raise KnownFailure
        self.failure = found
        if self.first_failure is None:
            self.first_failure, self.finding_examples = self.failure, self.examples
            self.found_after = real_seconds() - self.started
        self._count(example)
        raise broken(found.headline)

    @property
    def _is_over(self) -> bool:
        full = self.most_examples is not None and self.examples > self.most_examples
        return full or self.asked_to_stop()

    def end_example(self, example: Example) -> None:
        self._count(example)
        self.ended(example)
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

    @property
    def tally(self) -> Tally:
        return Tally(self.examples, self.steps, self.reach.counts, self.judged, tuple(self.crashed))

    def add(self, tally: Tally) -> None:
        """Take in what other examples of the same system came to: the sum of many runs is a run."""
        self.examples += tally.examples
        self.steps += tally.steps
        self.reach.counts.update(tally.met)
        self.judged.update(tally.judged)
        self.crashed += tally.crashed

    # -- verdict ----------------------------------------------------------------------------

    @property
    def judges_reach(self) -> bool:
        """Whether the run was long enough for a missed situation to count against it."""
        return self.examples >= self.judges_reach_from

    @property
    def never_judged(self) -> list[str]:
        return [claim.name for claim in self.lane.claims if not self.judged[claim.name]]

    def doubts(self) -> Sequence[str]:
        """Why the run cannot say PASS although nothing was broken, a sentence each."""
        found = [] if self.finished else ["the run was interrupted"]
        found += self.lost
        if self.finished and not self.examples and self.failure is None:
            found.append("no example was played")
        found += [
            f"invariant {crash.invariant} crashed ({crash.error}) at {crash.event}"
            for crash in self.crashed[:3]
        ]
        found += [
            f"situation said to be unreachable was met {counted(self.reach.counts[cell], 'time')}: {cell}; "
            "the reason given for it is false: take it out of the binding's unreachable"
            for cell in self.reach.met_all_the_same()
        ]
        # What is broken keeps its examples from getting anywhere: that is told, and enough.
        if self.judges_reach and self.finished and self.failure is None:
            found += [f"required situation never met: {cell}" for cell in self.reach.missed()]
            found += [f"invariant never judged: {name}" for name in self.never_judged]
        return found

    @property
    def verdict(self) -> Verdict:
        if self.failure is not None:
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.doubts() else Verdict.PASS
