"""Which situation followed which on the same job: how a long run goes on meeting something new.

The cells of reach are all met within minutes, and a run of hours would have nothing left to tell.  Of
their pairs there are thousands: a takeover after a release is another situation than one after a kill.
A pair that was met shows that the two came in that order, not that anything came of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.reach import Reach
from statemachine.lifecycle import Lifecycle

Pair = tuple[str, str]


class PairedReach(Reach):
    """Counts cells as :class:`Reach` does, and remembers the pairs that the present example has met."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        super().__init__(lifecycle)
        self.pairs: set[Pair] = set()
        self._ledger: Ledger | None = None
        self._latest: dict[str, str] = {}
        self._job = ""

    def take(self, ledger: Ledger, event: Event) -> None:
        if ledger is not self._ledger:  # a new example
            self._ledger, self.pairs, self._latest = ledger, set(), {}
        self._job = _job_of(ledger, event)
        super().take(ledger, event)

    def _count(self, cell: str) -> None:
        super()._count(cell)
        self.pairs.add((self._latest.get(self._job, "nothing"), cell))
        self._latest[self._job] = cell


def _job_of(ledger: Ledger, event: Event) -> str:
    """The job that an event is about; empty when it is about none, or about many."""
    if isinstance(event, history.FaultStruck):
        return ledger.calls[event.call].invoked.job
    if isinstance(event, history.Invoked | history.PublicationLost | history.Sent):
        return event.job
    named: str = getattr(event, "message", "")
    return ledger.messages[named].job if named in ledger.messages else ""


def pairs_of(lifecycle: Lifecycle, events: Iterable[Event]) -> frozenset[Pair]:
    """The pairs that a whole history met, its drain not counted."""
    reach, ledger = PairedReach(lifecycle), Ledger(lifecycle)
    for event in events:
        ledger.apply(event)
        reach.take(ledger, event)
    return frozenset(reach.pairs)
