"""Which situation followed which on the same job: the measure by which a long run still meets new things.

A run meets all required situations within minutes, so after that they say nothing about its progress.  Of
their ordered pairs there are thousands: a takeover after a release is another one than a takeover after a
kill.  A pair shows that the two situations came in that order, not that the second was caused by the first.
"""

from __future__ import annotations

from collections.abc import Iterable

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.reach import Reach
from statemachine.lifecycle import Lifecycle

Pair = tuple[str, str]
"""Two cells of reach in the order in which they came; ``nothing`` before the first of a job."""


class PairedReach(Reach):
    """Counts cells as :class:`Reach` does, and collects the pairs that the present example met."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        super().__init__(lifecycle)
        self.pairs: set[Pair] = set()
        self._ledger: Ledger | None = None
        self._latest: dict[str, str] = {}
        self._job = ""

    def take(self, ledger: Ledger, event: Event) -> None:
        if ledger is not self._ledger:  # every example has a ledger of its own
            self._ledger, self.pairs, self._latest = ledger, set(), {}
        self._job = _job_of(ledger, event)
        super().take(ledger, event)

    def _count(self, cell: str) -> None:
        super()._count(cell)
        self.pairs.add((self._latest.get(self._job, "nothing"), cell))
        self._latest[self._job] = cell


def _job_of(ledger: Ledger, event: Event) -> str:
    """Return the job that an event is about; empty if it is about none, or about many."""
    if isinstance(event, history.FaultStruck):
        return ledger.calls[event.call].invoked.job
    if isinstance(event, history.Invoked | history.PublicationLost | history.Sent):
        return event.job
    named: str = getattr(event, "message", "")
    return ledger.messages[named].job if named in ledger.messages else ""


def pairs_of(lifecycle: Lifecycle, events: Iterable[Event]) -> frozenset[Pair]:
    """Return the pairs that a whole history met; its drain is not counted."""
    reach, ledger = PairedReach(lifecycle), Ledger(lifecycle)
    for event in events:
        ledger.apply(event)
        reach.take(ledger, event)
    return frozenset(reach.pairs)
