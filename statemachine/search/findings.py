"""The distinct failures of one run: each reported once, however often it was met.

Failures with one signature are one finding, and so are two whose minimal histories have one signature: what
was merged is counted by its own signature.  The shortest history of each finding is kept.  A finding by
strays, direct calls that not every system has, is told after those by all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from statemachine.search.figures import Origin
from statemachine.search.triage.budget import TimeBudget
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.minimise import minimise
from statemachine.search.triage.script import Steps
from statemachine.search.triage.signature import Signature
from statemachine.world.clock import real_seconds
from statemachine.world.lane import Lane


@dataclass(frozen=True)
class Finding:
    """A failure of a run."""

    failure: Failure
    origin: Origin
    """What was played until it was found."""
    found_steps: int
    """Its number of steps when it was found."""
    times: int = 1
    """How often it was met."""
    seed: int | None = None
    """Of the search that found it, if it was a search."""
    unstable: str = ""
    """Why it did not repeat, as a clause: the call that answered differently, if one did."""
    minimal: bool = False
    """Whether its history was minimised."""
    shrink_seconds: float = 0
    """Real seconds that it took to minimise it."""
    played_before: Sequence[Steps] = ()
    """The latest examples before it, as far as they are known, the newest last."""
    misled: bool = False
    """Whether the process that found it remembers something, so that its re-runs there show nothing."""
    breaks_alone: bool = True
    """Whether its history breaks the claim in a fresh process."""
    earlier: Steps = ()
    """The example after which it does so there, if it does not alone and one was found."""
    unconfirmed: str = ""
    """Why it could not be played in a fresh process."""
    merged: Mapping[Signature, int] = field(default_factory=dict)
    """How often it was met under each signature that its histories had before they were minimised.

    Empty before they are minimised.
    """
    cut: bool = False
    """Whether minimising ended before it was done."""

    @property
    def signature(self) -> Signature:
        return self.failure.signature

    @property
    def steps(self) -> int:
        return len(self.failure.steps)


Confirm = Callable[[Finding, Finding], Finding]
"""Takes a finding as it was found and as it is minimal, and returns it as it is told."""


def unconfirmed(found: Finding, minimal: Finding) -> Finding:
    return minimal


class Findings:
    """What a run has found so far, by signature."""

    def __init__(self) -> None:
        self._found: dict[Signature, Finding] = {}
        self._minimal: dict[Signature, Signature] = {}
        """The signature that a failure has by now, by the one with which it was found."""

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    @property
    def signatures(self) -> frozenset[Signature]:
        """Those of all findings, also those with which they were found."""
        return frozenset(self._found) | frozenset(self._minimal)

    def add(self, found: Finding) -> bool:
        """Add one and return whether its signature is new; the shortest history of each is kept."""
        before = self._found.get(found.signature)
        if before is None:
            self._found[found.signature] = found
            return True
        shortest = min(before, found, key=lambda finding: finding.steps)
        merged = Counter(before.merged) + Counter(found.merged)
        self._found[found.signature] = replace(shortest, times=before.times + found.times, merged=merged)
        return False

    def again(self, signature: Signature, times: int) -> None:
        """Add ``times`` to the count of a known failure."""
        signature = self._minimal.get(signature, signature)
        self._found[signature] = replace(self._found[signature], times=self._found[signature].times + times)

    def minimised(
        self, lane: Lane, confirmed: Confirm = unconfirmed, budget: TimeBudget | None = None
    ) -> Findings:
        """Return these findings with minimal histories, one for each signature that is left.

        They share ``budget``, by default a minute: each has its equal part of what is left of it.
        """
        whole, budget = Findings(), budget or TimeBudget()
        for place, found in enumerate(self._found.values()):
            if found.minimal:
                whole.add(found)
                continue
            part = TimeBudget(budget.left / (len(self) - place))
            failure = found.failure
            if not found.unstable:
                failure = minimise(lane, failure, self.signatures, part)
            minimal = replace(
                found,
                failure=failure,
                minimal=True,
                shrink_seconds=real_seconds() - part.started,
                cut=part.cut,
                merged={found.signature: found.times},
            )
            told = confirmed(found, minimal)
            whole.add(told)
            if told.signature != found.signature:
                whole._minimal[found.signature] = told.signature
        for before, by_now in self._minimal.items():
            whole._minimal[before] = whole._minimal.get(by_now, by_now)
        return whole

    def without(self, left_out: Callable[[Signature], object]) -> Findings:
        """Return the findings for whose signature ``left_out`` says no."""
        others = Findings()
        others._found = {one: found for one, found in self._found.items() if not left_out(one)}
        return others

    @property
    def shortest(self) -> Failure:
        """The failure that is reported first.  There must be one."""
        return self.by_claim()[0][0].failure

    def by_claim(self) -> list[list[Finding]]:
        """Grouped by the claim that broke: groups, and findings in each.

        The shortest comes first, but one by strays only after all others.
        """
        ordered = sorted(self._found.values(), key=lambda found: (found.signature.invariant, *_told(found)))
        groups = [list(group) for _, group in groupby(ordered, key=lambda found: found.signature.invariant)]
        return sorted(groups, key=lambda group: _told(group[0]))


def _told(found: Finding) -> tuple[bool, int, Signature]:
    """Return by what findings are ordered, the first to be told first."""
    return found.signature.by_a_stray, found.steps, found.signature
