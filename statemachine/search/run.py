"""A run as a value: what was played, what was reached, what was judged, and the verdict.

PASS means that no invariant was broken and every required situation came about; FAIL that one was
broken; UNKNOWN that nothing was broken but something required never happened, something that was said
to be unreachable did, or an invariant could not judge or was never asked to.  A pass does not prove the
system right: it says how much was tried, and what.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from statemachine.history.events import Event
from statemachine.history.reach import Reach
from statemachine.invariants import Verdict
from statemachine.lifecycle import Lifecycle
from statemachine.search.accepted import NONE, Acceptance, Acceptances, Known
from statemachine.search.figures import Doubts
from statemachine.search.findings import Confirm, Findings, unconfirmed
from statemachine.search.tally import Part, Tally
from statemachine.search.triage.budget import TimeBudget
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, steps_in
from statemachine.search.triage.signature import Signature
from statemachine.world.clock import real_seconds
from statemachine.world.example import Example
from statemachine.world.lane import Lane

__all__ = ["Run", "Verdict"]

EXAMPLES_TO_JUDGE_REACH = 500
"""Below this a missed situation says more about the length of the run than about the machine."""

LATEST = 100
"""How many examples a run remembers, for a failure that needs what an earlier one left in the process."""


@dataclass
class Run:
    """All that is played of one system in one lane, by one search or by many, and its verdict."""

    lane: Lane
    reach_of: Callable[[Lifecycle, Mapping[str, str]], Reach] = Reach
    """Makes the counter of situations, of the lifecycle and of what the binding says is unreachable."""
    judges_reach_from: int = EXAMPLES_TO_JUDGE_REACH
    judges_claims: bool = True
    """Whether a claim that was never judged counts against the run, however short it was."""
    tally: Tally = field(default_factory=Tally)
    reach: Reach = field(init=False)
    """Counts into ``tally``."""
    findings: Findings = field(default_factory=Findings)
    """What broke: as it was found, and once the run is over as it was minimised."""
    accepted: Acceptances = NONE
    """Findings that do not count against the system."""
    passed_over: Counter[Signature] = field(default_factory=Counter)
    """How often an accepted failure was met that is not among the findings."""
    seed: int | None = None
    started: float = field(default_factory=real_seconds)
    given_up: int = 0
    """Examples that could not go on, as the system hung or would have ended its process."""
    finished: bool = False
    """False while it plays, and for ever when it is interrupted."""
    specimen: Sequence[Event] = ()
    """The events of the first example in which most leases were taken: one worth looking at."""
    confirmed: Confirm = unconfirmed
    """Plays a finding alone, once it is minimal."""
    latest: deque[tuple[Step, ...]] = field(default_factory=lambda: deque(maxlen=LATEST))
    """The steps of the latest examples that were played to their ends, without their drains."""
    _most_leases: int = -1
    _under_way: dict[Part, float] = field(default_factory=dict)
    """When a part began that has not ended."""

    def __post_init__(self) -> None:
        binding = self.lane.binding
        self.reach = self.reach_of(binding.lifecycle, getattr(binding, "unreachable", {}))
        self.reach.counts = self.tally.met

    def begin_example(self) -> Example:
        self.tally.examples += 1
        return self.lane.begin(self.reach)

    def count(self, example: Example) -> None:
        """Count the steps and judgements of an example that has ended, wherever it has."""
        self.tally.steps += example.steps
        self.tally.judged.update(example.judge.judged)
        self.tally.crashed += example.judge.crashed

    def end_example(self, example: Example) -> None:
        """Count an example that was played to its end."""
        self.count(example)
        self.latest.append(tuple(steps_in(example.events)))
        leases = example.ledger.acquisitions.total()
        if leases > self._most_leases:
            self.specimen, self._most_leases = example.events, leases

    def add(self, other: Tally) -> None:
        """Count what a search in another process came to.  Its time is not added: it runs beside this one."""
        self.tally.add(replace(other, seconds=0, spent={}))

    @contextmanager
    def spending(self, part: Part) -> Iterator[None]:
        """Count the real seconds of the block as spent on ``part``, and all until its end as the run's."""
        began = real_seconds()
        before = self.tally.spent.get(part, 0)
        self._under_way[part] = began
        try:
            yield
        finally:
            now = real_seconds()
            del self._under_way[part]
            self.tally.spent[part] = before + now - began
            self.tally.seconds = now - self.started

    def seconds_of(self, part: Part) -> float:
        """Return the real seconds spent on ``part`` so far."""
        began = self._under_way.get(part)
        return self.tally.spent.get(part, 0) + (0 if began is None else real_seconds() - began)

    # -- verdict ----------------------------------------------------------------------------

    @property
    def open_findings(self) -> Findings:
        """What broke and is not accepted."""
        return self.findings.without(self.accepted.of)

    @property
    def failure(self) -> Failure | None:
        """The failure that the verdict speaks of: the shortest that is not accepted."""
        found = self.open_findings
        return found.shortest if found else None

    @property
    def known(self) -> Known:
        """Signatures that are to end no further search."""
        return Known(self.findings.signatures, self.accepted)

    def meet_again(self, met: Mapping[Signature, int]) -> None:
        """Count failures that a search has met and passed over, since they were known."""
        for signature, times in met.items():
            if signature in self.findings.signatures:
                self.findings.again(signature, times)
            else:
                self.passed_over[signature] += times

    def times_met(self, accepted: Acceptance) -> int:
        """Return how often a failure that is ``accepted``, perhaps for too long by now, was met."""
        found = {one.signature: one.times for one in self.findings}
        met = (*found.items(), *self.passed_over.items())
        return sum(times for signature, times in met if accepted.is_of(signature))

    def minimise(self, budget: TimeBudget | None = None) -> None:
        """Give each finding a minimal history, in a minute at most by default; the lane must be open."""
        with self.spending(Part.FAILURES):
            self.findings = self.findings.minimised(self.lane, self.confirmed, budget)

    def settle(self) -> None:
        """Minimise what was found, if that may show it to be accepted: only then is the signature final."""
        if self.accepted.entries and self.failure is not None:
            self.minimise()

    @property
    def judges_reach(self) -> bool:
        """Whether the run was long enough for a missed situation to count against it."""
        return self.tally.examples >= self.judges_reach_from

    @property
    def never_judged(self) -> list[str]:
        return [claim.name for claim in self.lane.claims if not self.tally.judged[claim.name]]

    def doubts(self) -> Doubts:
        """Return why the run cannot say PASS although nothing was broken."""
        tally, done = self.tally, self.finished and self.failure is None
        # A broken claim keeps its examples from getting anywhere: it says enough by itself.
        judged = self.judges_reach and done
        return Doubts(
            interrupted=not self.finished,
            lost=tally.lost,
            nothing_played=done and not tally.examples,
            crashed=tally.crashed,
            met_unreachable=[(cell, tally.met[cell]) for cell in self.reach.met_all_the_same()],
            missed=self.reach.missed() if judged else (),
            never_judged=self.never_judged if done and self.judges_claims and tally.examples else (),
        )

    @property
    def verdict(self) -> Verdict:
        if self.failure is not None:
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.doubts() else Verdict.PASS
