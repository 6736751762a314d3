"""Count which operations overlapped: one executed a statement between two statements of the other.

The transactions lane requires every pair of operations that can be about one job at once, and kills at the
places that only this lane reaches.  The situations that other lanes require are counted, and not required.
That two operations overlapped does not show that all of their orders came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement
from types import MappingProxyType

from statemachine.history import events as history
from statemachine.history.ledger import Ledger
from statemachine.history.reach import Reach
from statemachine.lifecycle import FINISHES, Lifecycle, Operation

OVERLAPPING = (
    Operation.CREATE,
    Operation.PUBLISH,
    Operation.PREPARE,
    Operation.MARK_RUNNING,
    *FINISHES,
    Operation.RENEW,
    Operation.RECOVER,
)
"""The operations that write to jobs."""

_NEVER = {(Operation.PUBLISH, Operation.PUBLISH)}
"""Pairs that cannot overlap on one job: the publisher is handed each job once."""

_STAGES = ("prepare", "finish")
_KILLS = ("kill_before_statement", "kill_before_commit", "kill_while_blocked", "kill_after_commit")


def overlap(one: Operation, other: Operation) -> str:
    """Return the name of the situation in which these two overlap, in either order.

    >>> overlap(Operation.PREPARE, Operation.COMPLETE)
    'overlap of prepare and complete'
    """
    first, second = sorted((one, other), key=list(Operation).index)
    return f"overlap of {first} and {second}"


def pairs(lifecycle: Lifecycle) -> list[tuple[Operation, Operation]]:
    """Return the pairs that can overlap on one job under ``lifecycle``, an operation with itself included."""
    offered = [operation for operation in OVERLAPPING if lifecycle.has(operation)]
    return [pair for pair in combinations_with_replacement(offered, 2) if pair not in _NEVER]


STATEMENT_CELLS = (
    *(f"{kill} in {stage}" for kill in _KILLS for stage in _STAGES),
    *(f"lock wait in {stage}" for stage in _STAGES),
)


class OverlapReach(Reach):
    """Counts overlaps besides everything else; only they, and kills between statements, are required."""

    def __init__(self, lifecycle: Lifecycle, unreachable: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(lifecycle, unreachable)
        self._cells = (*(overlap(*pair) for pair in pairs(lifecycle)), *STATEMENT_CELLS)
        # By open call: the calls that have executed a statement since its own latest one.
        self._since: dict[int, set[int]] = {}
        self._folds |= {
            history.StepBegan: self._step_began,
            history.StatementBegan: self._statement_began,
            history.LockWaited: lambda ledger, event: self._count(
                f"lock wait in {_stage(ledger, event.call)}"
            ),
        }

    @property
    def required(self) -> list[str]:
        return [cell for cell in self._cells if cell not in self.unreachable]

    def edges_and_faults(self) -> list[tuple[str, int | None]]:
        return [(cell, self.count_of(cell)) for cell in self._cells]

    def _step_began(self, ledger: Ledger, event: history.StepBegan) -> None:
        self._since = {call: others for call, others in self._since.items() if call in ledger.open_calls}

    def _statement_began(self, ledger: Ledger, event: history.StatementBegan) -> None:
        mine = ledger.calls[event.call]
        for other in self._since.get(event.call, ()):
            theirs = ledger.calls[other]
            if _about_one_job(mine.invoked.job, theirs.invoked.job, mine.sent + theirs.sent):
                self._count(overlap(mine.invoked.operation, theirs.invoked.operation))
        self._since[event.call] = set()
        for call, others in self._since.items():
            if call != event.call:
                others.add(event.call)


def _about_one_job(one: str, other: str, sent: list[str]) -> bool:
    # A sweep names no job: it is about those that it sends.
    if one and other:
        return one == other
    return (one or other) in sent if one or other else bool(sent)


def _stage(ledger: Ledger, call: int) -> str:
    operation = ledger.calls[call].invoked.operation
    return "finish" if operation in FINISHES else str(operation)
