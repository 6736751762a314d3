"""Which situations a run really met, counted; and which ones it had to meet.

A test that never reaches its interesting state passes for ever.  So the required cells are an
explicit list: every cell of the legality table, the edge of a lease at -1, 0 and +1 s, and every
fault by the boundary at which it strikes.  What the drain does is not counted: there, the faults
are off.  A count shows that a situation came about, not that what follows from it was explored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from statemachine import history
from statemachine.history import Event
from statemachine.ledger import Ledger
from statemachine.legality import LEASE_EXPIRED, LEGALITY
from statemachine.lifecycle import ACQUISITIONS, FINISHES, Operation

TABLE_CELLS = tuple(
    f"{operation}: {cell.situation}" for operation, cells in LEGALITY.items() for cell in cells
)
EDGE_CELLS = tuple(f"lease edge {offset:+d} s" if offset else "lease edge 0 s" for offset in (-1, 0, 1))
KILL_CELLS = tuple(
    f"killed {place}"
    for place in (
        "after_receive",
        "before_prepare_commit",
        "after_prepare_commit",
        "during_inference",
        "before_finish_commit",
        "after_finish_commit",
        "before_delete",
        "after_delete",
    )
)
FAULT_CELLS = (
    "answer lost after prepare",
    "answer lost after finish",
    "answer lost after create",
    "database error in prepare",
    "database error in finish",
    "duplicate delivery",
    "delete lost",
    "deleted message came back",
    "publisher killed",
    "moved to the DLQ",
    "redriven",
    "message without a job",
    "slow worker finished late",
)
REQUIRED: tuple[str, ...] = (*TABLE_CELLS, *EDGE_CELLS, *KILL_CELLS, *FAULT_CELLS)


class Reach:
    """Counts cells over all the examples that hand it their events."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._folds: dict[type[Event], Callable[[Ledger, Any], None]] = {
            history.Invoked: self._invoked,
            history.FaultStruck: self._fault_struck,
            history.Killed: lambda ledger, event: self._count(f"killed {event.boundary}"),
            history.PublicationLost: lambda ledger, event: self._count("publisher killed"),
            history.Sent: self._sent,
            history.Delivered: self._delivered,
            history.DeleteRequested: self._delete_requested,
            history.DeadLettered: lambda ledger, event: self._count("moved to the DLQ"),
            history.Redriven: lambda ledger, event: self._count("redriven"),
            history.MessageCameBack: lambda ledger, event: self._count("deleted message came back"),
        }

    def take(self, ledger: Ledger, event: Event) -> None:
        """Count what ``event``, which the ledger has already taken, brought about."""
        fold = self._folds.get(type(event))
        if fold is not None and not ledger.draining:
            fold(ledger, event)

    def missed(self) -> list[str]:
        """The required cells that were never met."""
        return [cell for cell in REQUIRED if not self.counts[cell]]

    def _count(self, cell: str) -> None:
        self.counts[cell] += 1

    def _invoked(self, ledger: Ledger, event: history.Invoked) -> None:
        call = ledger.calls[event.call]
        question, cell = call.rulings[0]
        situation, row = cell.situation, question.row
        self._count(f"{event.operation}: {situation}")
        if event.operation in ACQUISITIONS and row is not None and row.lease_expires_at is not None:
            offset = event.at - row.lease_expires_at
            if offset in (-1, 0, 1):
                self._count(f"lease edge {offset:+g} s" if offset else "lease edge 0 s")
        if event.operation in FINISHES and situation == LEASE_EXPIRED and event.message is not None:
            self._count("slow worker finished late")

    def _fault_struck(self, ledger: Ledger, event: history.FaultStruck) -> None:
        operation = ledger.calls[event.call].invoked.operation
        stage = "finish" if operation in FINISHES else operation
        if event.fault == "answer_lost":
            self._count(f"answer lost after {stage}")
        elif event.fault == "error_before_commit":
            self._count(f"database error in {stage}")

    def _sent(self, ledger: Ledger, event: history.Sent) -> None:
        if event.forged:
            self._count("message without a job")

    def _delivered(self, ledger: Ledger, event: history.Delivered) -> None:
        if event.duplicate:
            self._count("duplicate delivery")

    def _delete_requested(self, ledger: Ledger, event: history.DeleteRequested) -> None:
        if not event.effective and ledger.messages[event.message].receipt == event.receipt:
            self._count("delete lost")


def operations_by_situation(counts: Counter[str]) -> list[tuple[Operation, list[tuple[str, int]]]]:
    """The counted cells of the legality table, an operation a group, in the table's order."""
    return [
        (operation, [(cell.situation, counts[f"{operation}: {cell.situation}"]) for cell in cells])
        for operation, cells in LEGALITY.items()
    ]
