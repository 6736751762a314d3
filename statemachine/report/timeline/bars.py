"""How long a worker works and a lease lives, as bars that run down the page.

A worker's bar is thin from the delivery to the answer of prepare, full while its attempt owns the job,
and broken while it works on without: superseded, or past its lease.  A lease's bar is full from the
acquisition to the expiry that the lifecycle declares, dotted while the job runs on without a lease.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Holder, Ledger
from statemachine.lifecycle import Operation


class Stroke(StrEnum):
    """How a bar is drawn above or below the middle of its row."""

    NONE = "none"
    THIN = "thin"
    FULL = "full"
    BROKEN = "broken"
    DOTTED = "dotted"


class Bar(NamedTuple):
    """A bar's piece in one moment.

    ``turn`` is where ``before`` gives way to ``after``, as a part of the moment's length.  ``anew`` says
    that one lease ends and another begins there; ``job`` names the lease that begins.
    """

    before: Stroke
    after: Stroke
    turn: float = 0.5
    anew: bool = False
    job: str = ""


class _Lease(NamedTuple):
    holder: Holder
    stroke: Stroke


class Bars:
    """Follows a ledger; :meth:`end_moment` gives the pieces of the moment that has just ended.

    Each running job has a lane of its own for its leases, the first that is free, or its old one.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._asking: set[str] = set()
        self._strokes: dict[str, Stroke] = {}
        self._leases: dict[str, _Lease] = {}
        self._lanes: dict[str, int] = {}
        self._since: float | None = None

    def take(self, event: Event) -> None:
        """Note ``event``, which the ledger has already taken."""
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

    def end_moment(self) -> tuple[dict[str, Bar], dict[int, Bar]]:
        """The pieces by worker, and those by lane; what is not drawn at all is left out."""
        workers, leases = self._worker_bars(), self._lease_bars()
        self._since = None
        return workers, leases

    def _worker_bars(self) -> dict[str, Bar]:
        before, after = self._strokes, self._worker_strokes()
        self._strokes = after
        return {
            worker: Bar(
                before.get(worker, Stroke.NONE), after.get(worker, Stroke.NONE), self._turn_of(worker)
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

    def _turn_of(self, worker: str) -> float:
        delivery = self.ledger.deliveries.get(worker)
        return self._turn(self.ledger.holders.get(delivery.job) if delivery is not None else None)

    def _turn(self, holder: Holder | None) -> float:
        """Where in the moment the lease of ``holder`` expires; the middle, if it does not."""
        if holder is None or self._since is None or not self._since < holder.expires_at <= self.ledger.now:
            return 0.5
        return (holder.expires_at - self._since) / (self.ledger.now - self._since)

    def _lease_bars(self) -> dict[int, Bar]:
        before = self._leases
        after = self._leases = {
            job: _Lease(holder, Stroke.FULL if self.ledger.lease_is_live(job) else Stroke.DOTTED)
            for job, holder in self.ledger.holders.items()
        }
        taken = {self._lanes[job] for job in before}
        bars: dict[int, Bar] = {}
        for job in sorted({*before, *after}):
            if job not in before:
                taken.add(self._enter_lane(job, taken))
            bars[self._lanes[job]] = self._lease_bar(job, before.get(job), after.get(job))
        return bars

    def _enter_lane(self, job: str, taken: set[int]) -> int:
        home = self._lanes.get(job)
        if home is None or home in taken:
            home = next(lane for lane in range(len(taken) + 1) if lane not in taken)
        self._lanes[job] = home
        return home

    def _lease_bar(self, job: str, old: _Lease | None, new: _Lease | None) -> Bar:
        anew = old is not None and new is not None and old.holder.call != new.holder.call
        return Bar(
            old.stroke if old is not None else Stroke.NONE,
            new.stroke if new is not None else Stroke.NONE,
            self._turn(new.holder if new is not None else None),
            anew,
            job if new is not None and (old is None or anew) else "",
        )
