"""How long an operation is in flight, as a bar beside that of the worker who makes it.

Thin from its beginning, full while a transaction is seen to be open, dotted while it waits for a lock.  The
application, publisher, sweep and strays have no bar: they share a column.
"""

from __future__ import annotations

from statemachine.history.in_flight import Flight, Flights
from statemachine.report.timeline.bars import Bar, Stroke
from statemachine.world.workers import WORKERS


class FlightBars:
    """Follows ``flights``; :meth:`end_moment` gives the pieces of the moment that has just ended."""

    def __init__(self, flights: Flights) -> None:
        self._flights = flights
        self._strokes: dict[str, Stroke] = {}

    def end_moment(self) -> dict[str, Bar]:
        """The pieces by worker; where nothing is in flight there is none."""
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
