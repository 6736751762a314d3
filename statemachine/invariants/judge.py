"""Folds a history through the ledger and every invariant, one event at a time.

The same code judges an example after every step, a saved history, and a log as it is read.  An invariant that
crashes is a bug of the verifier: it is recorded as :class:`Crashed`, judges no further event, and makes the
verdict UNKNOWN, never PASS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.invariants.claim import Broken, Invariant, Violation
from statemachine.lifecycle import Lifecycle


class Verdict(StrEnum):
    """What a judged run, or a judged log, ends in."""

    PASS = "PASS"
    """No claim was broken, and all that was required came about."""
    FAIL = "FAIL"
    """A claim was broken."""
    UNKNOWN = "UNKNOWN"
    """Nothing was found broken, and too little was seen, or a claim could not judge."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """An invariant that raised an error of its own."""

    invariant: str  # its name
    error: str  # ``TypeName: message``
    event: str  # the repr of the event that it was called with


class Judge:
    """Judges one history by ``claims``.

    ``ledger`` replaces the default one, which remembers everything: a log may be longer than memory.
    """

    def __init__(
        self, lifecycle: Lifecycle, claims: Iterable[Invariant], ledger: Ledger | None = None
    ) -> None:
        self.ledger = ledger if ledger is not None else Ledger(lifecycle)
        self.claims = tuple(claims)
        self.judged: Counter[str] = Counter()  # by claim: how often its situation came about
        self.violations: list[Violation] = []  # in the order of their events
        self.crashed: list[Crashed] = []
        self._by_kind: dict[type[Event], list[Invariant]] = {}
        for claim in self.claims:
            for kind in claim.on:
                self._by_kind.setdefault(kind, []).append(claim)

    def take(self, event: Event) -> None:
        """Take the next event: first the ledger, then every claim that is judged on it."""
        self.ledger.apply(event)
        for claim in self._by_kind.get(type(event), ()):
            try:
                for seen in claim.judge(self.ledger, event):
                    self.judged[claim.name] += 1
                    if isinstance(seen, Broken):
                        self._blame(claim, seen)
            except Exception as error:  # noqa: BLE001  a broken claim must not pass for a broken system
                self._give_up_on(claim, error, event)

    def _blame(self, claim: Invariant, seen: Broken) -> None:
        ledger = self.ledger
        self.violations.append(
            Violation(claim.name, seen.subject, ledger.step, ledger.now, seen.story, seen.compared)
        )

    def _give_up_on(self, claim: Invariant, error: Exception, event: Event) -> None:
        self.crashed.append(Crashed(claim.name, f"{type(error).__name__}: {error}", repr(event)))
        self._by_kind = {
            kind: [other for other in claims if other is not claim] for kind, claims in self._by_kind.items()
        }

    def headline(self) -> Violation | None:
        """Return the violation that names the failure, None without any.

        It is the one of the earliest step, and within that the first in the order of blame.
        """
        if not self.violations:
            return None
        order = {claim.name: place for place, claim in enumerate(self.claims)}
        return min(self.violations, key=lambda seen: (seen.step, order[seen.invariant]))


def judge(lifecycle: Lifecycle, claims: Iterable[Invariant], events: Iterable[Event]) -> Judge:
    """Judge a whole history and return the judge, which holds what it found."""
    judging = Judge(lifecycle, claims)
    for event in events:
        judging.take(event)
    return judging
