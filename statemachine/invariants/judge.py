"""Folds a history through the ledger and every invariant, one event at a time.

The same code judges at every step of an example, at the end of a saved history, or a log in a
stream.  An invariant that crashes is a bug of ours: it is remembered as :class:`Crashed`, stops
judging, and makes the verdict UNKNOWN, never PASS.
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
    """An invariant that could not judge, with the error that stopped it and the event it choked on."""

    invariant: str
    error: str
    event: str


class Judge:
    """Judges one history.  ``violations`` come in the order of their events.

    ``judged`` counts how often each invariant's situation came about.  ``ledger`` is one that remembers
    less, for histories without end.
    """

    def __init__(
        self, lifecycle: Lifecycle, claims: Iterable[Invariant], ledger: Ledger | None = None
    ) -> None:
        self.ledger = ledger if ledger is not None else Ledger(lifecycle)
        self.claims = tuple(claims)
        self.judged: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.crashed: list[Crashed] = []
        self._by_kind: dict[type[Event], list[Invariant]] = {}
        for claim in self.claims:
            for kind in claim.on:
                self._by_kind.setdefault(kind, []).append(claim)

    def take(self, event: Event) -> None:
        """Fold one more event."""
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
        """The violation to name: the earliest broken step's, and there the first in the order of blame."""
        if not self.violations:
            return None
        order = {claim.name: place for place, claim in enumerate(self.claims)}
        return min(self.violations, key=lambda seen: (seen.step, order[seen.invariant]))


def judge(lifecycle: Lifecycle, claims: Iterable[Invariant], events: Iterable[Event]) -> Judge:
    """Judge a whole history and return the judge with all it found."""
    verdict = Judge(lifecycle, claims)
    for event in events:
        verdict.take(event)
    return verdict
