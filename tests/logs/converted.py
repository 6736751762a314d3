"""A history of the embedded machine as the log that real workers would have written.

The machine's calls begin and end in one moment and never overlap.  Here every event gets a moment of
its own, a millisecond after the one before; a call's line is written some milliseconds before its
commit and its answer's some after, so that calls of different workers overlap as they do in a fleet.
What a real log does not tell is left out: who was killed where, and whether a lost answer had an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.legality import LEASE_LIVE, NO_SUCH_JOB, TERMINAL
from statemachine.lifecycle import ACQUISITIONS, FINISHES, Answer, Lifecycle, Operation
from tests.logs.writing import Values, moment, say

STEP = 0.001
REASONS = {TERMINAL: "ended", LEASE_LIVE: "lease live", NO_SUCH_JOB: "no such job"}


@dataclass
class Scribe:
    """Writes the lines of one history; ``random`` says how late each is written."""

    lifecycle: Lifecycle
    events: Sequence[Event]
    random: Random
    most_delay: float
    lines: list[tuple[float, int, Values]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.lifecycle)
        self.names: dict[str, str] = {}
        self.lives: dict[str, int] = {}
        self.last: dict[str, float] = {}
        self.committed: dict[int, tuple[float, Any]] = {}
        self.acting = [_actor(event, self.events) for event in self.events]

    # -- moments ----------------------------------------------------------------------------

    def at(self, place: int) -> float:
        return self.events[place].at + place * STEP

    def before(self, place: int, worker: str) -> float:
        """A moment before this event, but after whatever the worker wrote last."""
        early = self.at(place) - self.random.random() * self.most_delay
        return max(0.0, early, self.last.get(worker, 0.0))

    def after(self, place: int, worker: str, actor: str) -> float:
        """A moment after this event, but before whatever the same one does next."""
        late = self.at(place) + self.random.random() * self.most_delay
        following = (later for later in range(place + 1, len(self.events)) if self.acting[later] == actor)
        return min(late, self.at(next(following, len(self.events) - 1) or 0)) if late else late

    def write(self, at: float, event: str, worker: str, **fields: Any) -> None:
        at = max(round(at, 6), self.last.get(worker, 0.0))
        self.last[worker] = at
        self.lines.append((at, len(self.lines), say(at, event, worker, **fields)))

    # -- who --------------------------------------------------------------------------------

    def name(self, actor: str, call: int = 0) -> str:
        if len(actor) > 1:
            return f"{actor}{call}"
        if actor not in self.names:
            self.lives[actor] = self.lives.get(actor, 0) + 1
            # Fleets name their processes anew, or call the next one like the last.
            again = self.random.random() < 0.5
            self.names[actor] = actor if again else f"{actor}{self.lives[actor]}"
            self.write(self.last.get(actor, 0.0), "worker.started", self.names[actor])
        return self.names[actor]

    # -- events -----------------------------------------------------------------------------

    def log(self) -> list[Values]:
        folds: dict[type[Event], Callable[[int, Any], None]] = {
            history.Invoked: self.invoked,
            history.Observed: self.observed,
            history.Returned: self.returned,
            history.Raised: self.raised,
            history.Unknown: self.unknown,
            history.Killed: self.killed,
            history.Sent: self.sent,
            history.Delivered: self.delivered,
            history.DeleteRequested: self.delete_requested,
            history.VisibilityChanged: self.visibility_changed,
            history.DeadLettered: self.dead_lettered,
            history.Redriven: self.redriven,
            history.DrainBegan: lambda place, event: self.operator(place, "drain.began"),
            history.DrainEnded: lambda place, event: self.operator(place, "drain.ended", stuck=event.stuck),
        }
        for place, event in enumerate(self.events):
            self.ledger.apply(event)
            if type(event) in folds:
                folds[type(event)](place, event)
        self.rows_read()
        return [line for _, _, line in sorted(self.lines, key=lambda written: written[:2])]

    def operator(self, place: int, event: str, **fields: Any) -> None:
        self.write(self.at(place), event, "operator", **fields)

    def rows_read(self) -> None:
        rows = [
            {
                "job_id": row.job,
                "tenant_id": row.tenant,
                "status": row.status,
                "attempt": row.attempt,
                "lease_expires_at": None if row.lease_expires_at is None else moment(row.lease_expires_at),
                "results": row.results,
            }
            for row in self.ledger.rows.values()
        ]
        self.write(self.at(len(self.events) - 1) + 60, "rows.read", "operator", rows=rows)

    def invoked(self, place: int, event: history.Invoked) -> None:
        job = {"job_id": event.job, "tenant_id": event.tenant}
        worker = self.name(event.actor, event.call)
        if event.operation in ACQUISITIONS:
            self.write(self.before(place, worker), "prepare.called", worker, **job, message_id=event.message)
        elif event.operation in FINISHES:
            self.write(
                self.before(place, worker),
                "finish.called",
                worker,
                operation=str(event.operation),
                **job,
                attempt=event.attempt,
                **{"status" if event.operation is Operation.CLOSE else "result": event.payload},
            )

    def observed(self, place: int, event: history.Observed) -> None:
        asked = self.ledger.calls[event.call].invoked
        for row in event.rows:
            if row.job == asked.job:
                length = (row.lease_expires_at or 0) - event.at
                self.committed[event.call] = (round(self.at(place) + length, 6), row)

    def returned(self, place: int, event: history.Returned) -> None:
        asked = self.ledger.calls[event.call].invoked
        worker, job = self.name(asked.actor, event.call), {"job_id": asked.job, "tenant_id": asked.tenant}
        at, accepted = self.after(place, worker, asked.actor), event.answer is Answer.ACCEPTED
        if asked.operation is Operation.CREATE and accepted:
            self.write(at, "job.created", worker, **job)
        elif asked.operation in ACQUISITIONS and accepted:
            until = self.committed.get(event.call, (None, None))[0]
            lease = None if until is None else moment(until)
            self.write(at, "prepare.accepted", worker, **job, attempt=event.attempt, lease_expires_at=lease)
        elif asked.operation in ACQUISITIONS:
            reason = REASONS.get(self.ledger.calls[event.call].rulings[0].cell.situation, "not told")
            self.write(at, "prepare.refused", worker, **job, reason=reason)
        elif asked.operation in FINISHES:
            self.write(
                at,
                "finish.accepted" if accepted else "finish.refused",
                worker,
                operation=str(asked.operation),
                **job,
                attempt=asked.attempt,
                status=self.lifecycle.finished_status(asked.operation, asked.payload),
            )

    def raised(self, place: int, event: history.Raised | history.Unknown) -> None:
        asked = self.ledger.calls[event.call].invoked
        worker, job = self.name(asked.actor, event.call), {"job_id": asked.job, "tenant_id": asked.tenant}
        operation = "prepare" if asked.operation in ACQUISITIONS else str(asked.operation)
        if operation in ("prepare", *FINISHES):
            at = self.after(place, worker, asked.actor)
            self.write(at, "call.raised", worker, operation=operation, **job, error="OperationalError")

    def unknown(self, place: int, event: history.Unknown) -> None:
        if event.reason != "killed":
            self.raised(place, event)

    def killed(self, place: int, event: history.Killed) -> None:
        name = self.name(event.worker)
        del self.names[event.worker]
        self.last[event.worker] = max(self.last.get(event.worker, 0), self.at(place))
        if self.random.random() < 0.7 or name != event.worker:
            self.operator(place, "worker.killed", killed=name, moment="at some moment")

    def sent(self, place: int, event: history.Sent) -> None:
        if event.job and (not event.forged or self.random.random() < 0.5):
            at = self.at(place) + self.random.random() * self.most_delay
            self.write(
                at,
                "message.sent",
                f"sender{place}",
                message_id=event.message,
                job_id=event.job,
                tenant_id=event.tenant,
            )

    def delivered(self, place: int, event: history.Delivered) -> None:
        message = self.ledger.messages[event.message]
        worker = self.name(event.worker)
        self.write(
            self.after(place, worker, event.worker),
            "message.received",
            worker,
            message_id=event.message,
            receipt=event.receipt,
            receive_count=event.receive_count,
            visible_until=moment(self.at(place) + event.visible_at - event.at),
            job_id=message.job or None,
            tenant_id=message.tenant or None,
        )

    def delete_requested(self, place: int, event: history.DeleteRequested) -> None:
        message = self.ledger.messages[event.message]
        worker = self.name(event.worker)
        self.write(
            self.before(place, worker),
            "delete.called",
            worker,
            message_id=event.message,
            receipt=event.receipt,
            job_id=message.job or None,
            tenant_id=message.tenant or None,
            why="job ended",
        )

    def visibility_changed(self, place: int, event: history.VisibilityChanged) -> None:
        until = moment(self.at(place) + event.visible_at - event.at)
        self.write(
            self.at(place),
            "visibility.extended",
            self.name(event.worker),
            message_id=event.message,
            receipt=event.receipt,
            visible_until=until,
        )

    def dead_lettered(self, place: int, event: history.DeadLettered) -> None:
        message = self.ledger.messages[event.message]
        job = {"job_id": message.job or None, "tenant_id": message.tenant or None}
        self.operator(place, "message.dead_lettered", message_id=event.message, **job)

    def redriven(self, place: int, event: history.Redriven) -> None:
        self.operator(place, "message.redriven", message_id=event.message, renewed=event.renewed)


def _actor(event: Event, events: Sequence[Event]) -> str | None:
    """Who acts in an event: what it writes next may not come before what it wrote last."""
    match event:
        case history.Invoked():
            return event.actor
        case history.Delivered() | history.DeleteRequested() | history.VisibilityChanged():
            return event.worker
        case history.Killed():
            return event.worker
        case _:
            return None


def as_log(lifecycle: Lifecycle, events: Sequence[Event], random: Random, most_delay: float) -> list[Values]:
    """The lines of ``events``, in the order of their times; calls overlap by up to ``most_delay`` seconds."""
    return Scribe(lifecycle, events, random, most_delay).log()
