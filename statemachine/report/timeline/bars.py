"""How long a worker works, a lease lives and an operation is in flight, as bars that run down the page.

A worker's bar is thin from the delivery to the answer of prepare, full while its attempt owns the job,
and broken while it works on without: superseded, or past its lease.  A lease's bar is full from the
acquisition to the expiry that the lifecycle declares, dotted while the job runs on without a lease.

An operation in flight has a bar beside that of its worker: thin from its beginning, full while its
transaction is seen to be open, dotted while it waits for a lock.  The application, publisher, sweep and
strays have no bar: they share a column.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.in_flight import Flight, Flights
from statemachine.history.ledger import Holder, Ledger
from statemachine.lifecycle import Operation
from statemachine.world.workers import WORKERS


class Stroke(StrEnum):
    """How a bar is drawn above or below the point in its row where it changes."""

    NONE = "none"
    THIN = "thin"
    FULL = "full"
    BROKEN = "broken"
    DOTTED = "dotted"


class Bar(NamedTuple):
    """The piece of a bar in one step."""

    before: Stroke
    after: Stroke

    changes_at: float = 0.5
    """Where ``before`` gives way to ``after``, as a part of the step's height: 0 is its top, 1 its end."""

    anew: bool = False
    """Whether one lease ends there and another begins."""

    job: str = ""
    """The job whose lease begins here."""


class _Lease(NamedTuple):
    holder: Holder
    stroke: Stroke


class Bars:
    """The bars of workers and leases; follows ``ledger``.

    Each running job has a track for its leases: the one that it had before, else the first that is free.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._asking: set[str] = set()
        self._strokes: dict[str, Stroke] = {}
        self._leases: dict[str, _Lease] = {}
        self._tracks: dict[str, int] = {}
        # Where time began to pass in this step, in seconds; None in a step in which none passes.
        self._since: float | None = None

    def take(self, event: Event) -> None:
        """Note ``event``; the ledger must have taken it already."""
        match event:
            case history.ClockMoved():
                self._since = event.since
            case history.Delivered():
                self._asking.add(event.worker)
            case history.Killed() | history.DeleteRequested():
                self._asking.discard(event.worker)
            case history.Returned():
                # After an error, or when the answer was lost, a worker may ask again.
                asked = self.ledger.calls[event.call].invoked
                if asked.operation is Operation.PREPARE:
                    self._asking.discard(asked.actor)

    def end_step(self) -> tuple[dict[str, Bar], dict[int, Bar]]:
        """Return the pieces of the step that has ended: by worker, and by track."""
        workers, leases = self._worker_bars(), self._lease_bars()
        self._since = None
        return workers, leases

    def _worker_bars(self) -> dict[str, Bar]:
        before, after = self._strokes, self._worker_strokes()
        self._strokes = after
        return {
            worker: Bar(
                before.get(worker, Stroke.NONE), after.get(worker, Stroke.NONE), self._changes_at(worker)
            )
            for worker in sorted({*before, *after})
        }

    def _worker_strokes(self) -> dict[str, Stroke]:
        strokes = dict.fromkeys(self._asking, Stroke.THIN)
        for worker, delivery in self.ledger.deliveries.items():
            if delivery.attempt is not None:
                holder = self.ledger.holders.get(delivery.job)
                owns = holder is not None and holder.attempt == delivery.attempt
                live = owns and self.ledger.lease_is_live(delivery.job)
                strokes[worker] = Stroke.FULL if live else Stroke.BROKEN
        return strokes

    def _changes_at(self, worker: str) -> float:
        delivery = self.ledger.deliveries.get(worker)
        return self._expiry(self.ledger.holders.get(delivery.job) if delivery is not None else None)

    def _expiry(self, holder: Holder | None) -> float:
        """Where in the step the lease of ``holder`` expires, as a part of it; the middle if it does not."""
        if holder is None or self._since is None or not self._since < holder.expires_at <= self.ledger.now:
            return 0.5
        return (holder.expires_at - self._since) / (self.ledger.now - self._since)

    def _lease_bars(self) -> dict[int, Bar]:
        before = self._leases
        after = self._leases = {
            job: _Lease(holder, Stroke.FULL if self.ledger.lease_is_live(job) else Stroke.DOTTED)
            for job, holder in self.ledger.holders.items()
        }
        taken = {self._tracks[job] for job in before}
        bars: dict[int, Bar] = {}
        for job in sorted({*before, *after}):
            if job not in before:
                taken.add(self._enter_track(job, taken))
            bars[self._tracks[job]] = self._lease_bar(job, before.get(job), after.get(job))
        return bars

    def _enter_track(self, job: str, taken: set[int]) -> int:
        track = self._tracks.get(job)
        if track is None or track in taken:
            track = next(free for free in range(len(taken) + 1) if free not in taken)
        self._tracks[job] = track
        return track

    def _lease_bar(self, job: str, old: _Lease | None, new: _Lease | None) -> Bar:
        anew = old is not None and new is not None and old.holder.call != new.holder.call
        return Bar(
            old.stroke if old is not None else Stroke.NONE,
            new.stroke if new is not None else Stroke.NONE,
            self._expiry(new.holder if new is not None else None),
            anew,
            job if new is not None and (old is None or anew) else "",
        )


class FlightBars:
    """The bars of operations in flight; follows ``flights``."""

    def __init__(self, flights: Flights) -> None:
        self._flights = flights
        self._strokes: dict[str, Stroke] = {}

    def end_step(self) -> dict[str, Bar]:
        """Return the pieces of the step that has ended, by worker."""
        before = self._strokes
        after = self._strokes = {
            by: _stroke(flight) for by, flight in self._flights.open.items() if by in WORKERS
        }
        return {
            worker: Bar(before.get(worker, Stroke.NONE), after.get(worker, Stroke.NONE))
            for worker in sorted({*before, *after})
        }


def _stroke(flight: Flight) -> Stroke:
    if flight.waits_for:
        return Stroke.DOTTED
    return Stroke.FULL if flight.in_transaction else Stroke.THIN
