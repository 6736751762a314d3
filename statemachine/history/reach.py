"""Count the situations that a run met, and list those that it has to meet.

A test that never reaches its interesting state passes for ever.  So the required situations are an explicit
list: every cell of the legality table, the edge of a lease at -1, 0 and +1 s, and every fault by the boundary
at which it strikes.  The drain is not counted: faults are off there.  A situation that the binding calls
unreachable is not required, on the binding's word alone.  A count shows that a situation came about, not that
all that can follow from it was explored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.legality import LEASE_EXPIRED, LEASE_LIVE, cells
from statemachine.lifecycle import ACQUISITIONS, FINISHES, Lifecycle, Operation

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

STRUCK: dict[str, tuple[str, ...]] = {
    "kill_before_statement": ("create", "publish", "prepare", "finish", "recover"),
    "kill_before_port_call": ("publish", "recover"),
    "kill_after_port_call": ("create", "publish", "recover"),
    "kill_before_commit": ("create", "publish", "recover"),
    "kill_after_commit": ("create", "publish", "recover"),
    "error_before_statement": ("create", "publish", "prepare", "finish", "recover"),
    "error_in_port_call": ("create", "publish", "acknowledge", "recover", "extend"),
    "error_before_commit": ("create", "publish", "prepare", "finish", "recover"),
    "answer_lost": ("create", "publish", "prepare", "finish", "recover"),
}
"""The faults that must strike, each with the operations that it must strike in.

``finish`` stands for all finish operations.  The kills of workers are in :data:`KILL_CELLS`, by boundary.
"""

HAPPENED_CELLS = (
    "message sent late",
    "duplicate delivery",
    "delete requested, job ended",
    "delete lost",
    "deleted message came back",
    "publisher killed",
    "moved to the DLQ",
    "redriven",
    "redriven after two attempts",
    "message without a job",
    "malformed message",
    "slow worker finished late",
)
"""What else must happen, by the world's doing or the workers'."""

_IF_OFFERED = {
    "message back after a release": Operation.RELEASE,
    "visibility extended": Operation.EXTEND,
}


def fault_cells(lifecycle: Lifecycle) -> tuple[str, ...]:
    """Return the faults that must strike, and what else must happen, under ``lifecycle``."""
    optional = {str(operation): operation for operation in Operation}
    struck = (
        f"{fault} in {stage}"
        for fault, stages in STRUCK.items()
        for stage in stages
        if stage not in optional or lifecycle.has(optional[stage])
    )
    offered = (cell for cell, operation in _IF_OFFERED.items() if lifecycle.has(operation))
    return (*struck, *HAPPENED_CELLS, *offered)


def required(lifecycle: Lifecycle) -> tuple[str, ...]:
    """Return every situation that a run under ``lifecycle`` must meet."""
    table = (f"{operation}: {cell.situation}" for operation, listed in cells(lifecycle) for cell in listed)
    return (*table, *EDGE_CELLS, *KILL_CELLS, *fault_cells(lifecycle))


class Reach:
    """Counts situations, called cells, over all examples of a run.

    ``unreachable`` maps those that cannot come about in the system to the reason; they are not required.
    """

    def __init__(self, lifecycle: Lifecycle, unreachable: Mapping[str, str] = MappingProxyType({})) -> None:
        self.lifecycle = lifecycle
        self.unreachable = unreachable
        self.counts: Counter[str] = Counter()
        self._folds: dict[type[Event], Callable[[Ledger, Any], None]] = {
            history.Invoked: self._invoked,
            history.FaultStruck: self._fault_struck,
            history.Killed: lambda ledger, event: self._count(f"killed {event.boundary}"),
            history.PublicationLost: lambda ledger, event: self._count("publisher killed"),
            history.Sent: self._sent,
            history.Delivered: self._delivered,
            history.DeleteRequested: self._delete_requested,
            history.VisibilityChanged: self._visibility_changed,
            history.DeadLettered: lambda ledger, event: self._count("moved to the DLQ"),
            history.Redriven: self._redriven,
            history.MessageCameBack: lambda ledger, event: self._count("deleted message came back"),
        }

    def take(self, ledger: Ledger, event: Event) -> None:
        """Count the cells that ``event`` brought about; the ledger has taken it already."""
        fold = self._folds.get(type(event))
        if fold is not None and not ledger.draining:
            fold(ledger, event)

    @property
    def required(self) -> list[str]:
        """The cells that the lifecycle requires, without the unreachable ones."""
        return [cell for cell in required(self.lifecycle) if cell not in self.unreachable]

    def missed(self) -> list[str]:
        """Return the required cells that were never met."""
        return [cell for cell in self.required if not self.counts[cell]]

    def met_all_the_same(self) -> list[str]:
        """Return the cells that the binding calls unreachable and that were met."""
        return [cell for cell in self.unreachable if self.counts[cell]]

    def rarest(self) -> tuple[str, int]:
        """Return the required cell that came about least often, with its count."""
        counted = ((cell, self.counts[cell]) for cell in self.required)
        return min(counted, key=lambda pair: pair[1], default=("nothing is required", 0))

    def count_of(self, cell: str) -> int | None:
        """Return how often ``cell`` came about; None if it is unreachable and indeed never did."""
        return None if cell in self.unreachable and not self.counts[cell] else self.counts[cell]

    def operations_by_situation(self) -> list[tuple[Operation, list[tuple[str, int | None]]]]:
        """Return the counts of the legality table's cells, by operation, in the table's order."""
        return [
            (
                operation,
                [(cell.situation, self.count_of(f"{operation}: {cell.situation}")) for cell in listed],
            )
            for operation, listed in cells(self.lifecycle)
        ]

    def edges_and_faults(self) -> list[tuple[str, int | None]]:
        """Return the counts of all other cells."""
        others = (*EDGE_CELLS, *KILL_CELLS, *fault_cells(self.lifecycle))
        return [(cell, self.count_of(cell)) for cell in others]

    def _count(self, cell: str) -> None:
        self.counts[cell] += 1

    def _invoked(self, ledger: Ledger, event: history.Invoked) -> None:
        question, cell = ledger.calls[event.call].rulings[0]
        situation, row = cell.situation, question.row
        self._count(f"{event.operation}: {situation}")
        if event.operation in ACQUISITIONS and row is not None and row.lease_expires_at is not None:
            offset = question.now - row.lease_expires_at
            if offset in (-1, 0, 1) and situation in (LEASE_LIVE, LEASE_EXPIRED):
                self._count(f"lease edge {offset:+g} s" if offset else "lease edge 0 s")
        if event.operation in FINISHES and situation == LEASE_EXPIRED and event.message is not None:
            self._count("slow worker finished late")
        if event.operation is Operation.RECOVER:
            for about in ledger.rows.values():
                ruled = ledger.rules_for(ledger.calls[event.call], about, ledger.now)
                self._count(f"{event.operation}: {ruled.cell.situation}")

    def _fault_struck(self, ledger: Ledger, event: history.FaultStruck) -> None:
        operation = ledger.calls[event.call].invoked.operation
        fault = "error_before_statement" if event.fault == "statement_failed" else event.fault
        self._count(f"{fault} in {'finish' if operation in FINISHES else operation}")

    def _sent(self, ledger: Ledger, event: history.Sent) -> None:
        if event.forged:
            self._count("message without a job" if event.job else "malformed message")
        elif event.delay:
            self._count("message sent late")

    def _delivered(self, ledger: Ledger, event: history.Delivered) -> None:
        if event.duplicate:
            self._count("duplicate delivery")
        row = ledger.is_about(ledger.messages[event.message])
        if row is not None and row.status == ledger.lifecycle.retrying:
            self._count("message back after a release")

    def _delete_requested(self, ledger: Ledger, event: history.DeleteRequested) -> None:
        message = ledger.messages[event.message]
        row = ledger.is_about(message)
        if row is not None and row.status in ledger.lifecycle.terminal:
            self._count("delete requested, job ended")
        if not event.effective and message.receipt == event.receipt and message.place == "queue":
            self._count("delete lost")

    def _visibility_changed(self, ledger: Ledger, event: history.VisibilityChanged) -> None:
        if event.effective and ledger.messages[event.message].hurried_by < 0:
            self._count("visibility extended")

    def _redriven(self, ledger: Ledger, event: history.Redriven) -> None:
        self._count("redriven")
        if ledger.acquisitions[ledger.messages[event.message].job] > 1:
            self._count("redriven after two attempts")
