"""The deadlines ahead, by name: the edges at which leased jobs break.

Uniform times never meet an edge: in trials they found an edge-only defect on 0 of 20 seeds, moves aimed at
deadlines on 5 of 20, and a late completion on 2 and 10.  A deadline is named (``lease of j1``) and not
numbered, so that a replay of fewer steps still means the same edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from statemachine.lifecycle import Operation
from statemachine.world.example import Example


class Deadline(NamedTuple):
    """A point in time ahead at which the answer of the system may change."""

    kind: str
    """A name in :data:`KINDS`."""
    of: str
    """The job, message or worker that it belongs to."""
    at: float
    """Seconds from the example's start."""
    weight: int
    """How likely the machine aims at it, beside others."""


def _lease(example: Example, job: str) -> float | None:
    row = example.ledger.rows.get(job)
    return row.lease_expires_at if row is not None else None


def _visibility(example: Example, message: str) -> float | None:
    stored = example.queue.messages.get(message)
    return stored.visible_at if stored is not None else None


def _cap(example: Example, worker: str) -> float | None:
    slot = example.workers.get(worker)
    if slot is None or slot.answered_at is None or slot.next_step != "finish":
        return None
    return slot.answered_at + example.lifecycle.inference_cap_seconds


def _recovery(example: Example, job: str) -> float | None:
    if not example.lifecycle.has(Operation.RECOVER):
        return None
    since = example.ledger.created_at.get(job)
    row = example.ledger.rows.get(job)
    if since is None or row is None or row.published_at is not None:
        return None
    if row.status != example.lifecycle.pending:
        return None
    return since + example.lifecycle.recover_after_seconds


KINDS: dict[str, Callable[[Example, str], float | None]] = {
    "lease": _lease,
    "visibility": _visibility,
    "cap": _cap,
    "recovery": _recovery,
}


def find(example: Example, kind: str, of: str) -> float | None:
    """Return the seconds at which the deadline ``kind`` (of :data:`KINDS`) of ``of`` falls; None for none."""
    return KINDS[kind](example, of)


def ahead(example: Example) -> Iterator[Deadline]:
    """Yield the deadlines that are ahead or less than a second past, in a fixed order.

    The second: a move to one second after a deadline must be offered when its edge has just been reached.
    """
    now = example.now
    for job, row in example.ledger.rows.items():
        if row.lease_expires_at is not None and row.lease_expires_at + 1 > now:
            # While another worker works on the same job, the edge decides who wins: three times as likely.
            rivals = sum(1 for slot in example.workers.values() if slot.job == job and not slot.is_idle)
            yield Deadline("lease", job, row.lease_expires_at, 12 if rivals > 1 else 4)
    for message in example.queue.messages.values():
        if message.visible_at + 1 > now and (message.receive_count or message.visible_at > now):
            yield Deadline("visibility", message.name, message.visible_at, 4)
    for worker in example.workers:
        cap = _cap(example, worker)
        if cap is not None and cap + 1 > now:
            yield Deadline("cap", worker, cap, 2)
    for job in example.jobs:
        due = _recovery(example, job)
        if due is not None and due + 1 > now and job not in example.to_publish:
            yield Deadline("recovery", job, due, 6)
