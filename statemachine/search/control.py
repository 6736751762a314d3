"""Controls one search: begins its examples, checks each step, and decides when the search ends.

Hypothesis only learns from exceptions what became of an example; they are defined here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from statemachine.invariants import Violation
from statemachine.search.run import Run
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Signature
from statemachine.world.clock import real_seconds
from statemachine.world.example import Example
from statemachine.world.exits import GivenUp


class InvariantBroken(AssertionError):
    """Raised inside an example to tell Hypothesis; each invariant has a subclass of its own.

    Hypothesis tells failures apart by their type, so a shrink cannot slip from one claim to another.
    """


class KnownFailure(Exception):
    """Raised inside an example that breaks a claim with a signature that is known already."""


class Stopped(KeyboardInterrupt):
    """Raised inside an example when the search is to end.

    Only an interrupt ends Hypothesis at once: after any other error it plays the half example once more,
    and finds it flaky.
    """


_raised_for: dict[str, type[InvariantBroken]] = {}


def broken(violation: Violation) -> InvariantBroken:
    """Return the exception that stands for ``violation``."""
    name = violation.invariant
    kind = _raised_for.setdefault(name, type(name, (InvariantBroken,), {"__doc__": InvariantBroken.__doc__}))
    return kind(violation.story)


MOST_GIVEN_UP = 3
"""Examples that hang, or would end the process, before the search ends: each may have taken a minute."""


@dataclass
class SearchControl:
    """One search: its limits, and the failure that it found.  What it plays is counted in ``run``."""

    run: Run
    tick: Callable[[SearchControl], None] = lambda control: None
    """Called after every step, to show that the search is alive."""
    known: Container[Signature] = ()
    """Signatures of failures that do not end the search: they are counted in ``met_again``."""
    asked_to_stop: Callable[[], bool] = lambda: False
    """Asked after every step; when it says so, the search ends there."""
    wanted: frozenset[str] = frozenset()
    """Situations that the run has missed so far; the examples of a lane that can lead to them do so."""
    most_examples: int | None = None
    """The search ends when it has begun more.  Hypothesis does not count those that met a known failure."""
    planned: int | None = None
    """About how many examples the search will begin; None while that is not known."""
    ended: Callable[[Example], None] = lambda example: None
    """Called with each example that was played to its end, its drain included."""

    examples: int = 0
    """Examples that this search has begun: ``run`` may count those of several searches."""
    interrupted: bool = False
    """Set by Ctrl-C; the search ends at its next step."""
    met_again: Counter[Signature] = field(default_factory=Counter)
    failure: Failure | None = None
    """The failure that ended the search: as Hypothesis left it, or minimised."""
    as_found: Failure | None = None
    """The same before it was minimised."""
    first_failure: Failure | None = None
    """The first history that broke the claim: Hypothesis plays it again, and may shrink it."""
    finding_examples: int = 0
    """How many examples had been begun when it was found."""
    found_after: float | None = None
    """How many real seconds had passed."""
    unstable: str = ""
    """Why the failure did not repeat, as a clause: the call that answered differently, if one did."""

    def begin_example(self) -> Example:
        self.examples += 1
        return self.run.begin_example()

    def check(self, example: Example) -> None:
        """Look at what the step that was just played did.

        Raises :class:`InvariantBroken` for a new failure, :class:`KnownFailure` for a known one, and
        :class:`Stopped` when the search is to end.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        self.tick(self)
        found = Failure.of(example)
        known = found is not None and found.signature in self.known
        if found is not None and known:
            self.met_again[found.signature] += 1
        if (found is None or known) and self._is_over:
            self.run.count(example)
            raise Stopped
        if found is None:
            return
        self.run.count(example)
        if known:
            raise KnownFailure
        self.failure = found
        if self.first_failure is None:
            self.first_failure, self.finding_examples = found, self.examples
            self.found_after = real_seconds() - self.run.started
        raise broken(found.headline)

    def give_up(self, example: Example, why: GivenUp) -> None:
        """Count an example that cannot go on: the run cannot vouch for the system any more.

        Raises :class:`Stopped` when there were several.
        """
        run = self.run
        run.lane.abandon()
        run.count(example)
        run.given_up += 1
        run.tally.lost.append(f"{why} (example {self.examples} of the search with seed {run.seed})")
        if run.given_up >= MOST_GIVEN_UP:
            raise Stopped

    @property
    def _is_over(self) -> bool:
        full = self.most_examples is not None and self.examples > self.most_examples
        return full or self.asked_to_stop()

    def end_example(self, example: Example) -> None:
        self.run.end_example(example)
        self.ended(example)
