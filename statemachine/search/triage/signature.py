"""The shape of a failure: what makes two failing histories one finding and not two.

One bug breaks the same claim in thousands of examples that have little else in common.  What they share
is the failing step: which operation, in which situation, struck by which fault.  Two bugs of one shape
are told apart by nobody here; mending the first one shows the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from statemachine.history.events import DrainEnded, Event, FaultStruck, Invoked, StepBegan
from statemachine.history.in_flight import Flights
from statemachine.history.ledger import CallFacts, Ledger
from statemachine.invariants import Violation


class Shape(NamedTuple):
    """The claim that broke, and what the failing step did: text only, the same in every run.

    ``operation`` is the step's own, or the one that it lets go on; ``situation`` is the cell of the legality
    table that the step's last call met (one that goes on, as its commit found it), or the status of the job
    that a drain left behind; ``fault`` is what struck that call.  What does not apply is empty.
    """

    invariant: str
    operation: str
    situation: str = ""
    fault: str = ""

    def __str__(self) -> str:
        where = f"{self.operation}: {self.situation}" if self.situation else self.operation
        return f"{where}; {self.fault}" if self.fault else where


def shape_of(ledger: Ledger, events: Sequence[Event], seen: Violation) -> Shape:
    """The shape of the failure ``seen`` that ends ``events``, which ``ledger`` has taken."""
    if isinstance(events[-1], DrainEnded):
        row = ledger.rows.get(seen.subject)
        return Shape(seen.invariant, "drain", row.status if row is not None else "")
    operation = situation = fault = ""
    for event in reversed(events):
        if isinstance(event, FaultStruck):
            fault = event.fault
        elif isinstance(event, Invoked) and not operation:
            operation = str(event.operation)
            situation = ledger.calls[event.call].rulings[0].cell.situation
        elif isinstance(event, StepBegan):
            going_on = _going_on(ledger, events)
            if not operation and going_on is not None:
                operation = str(going_on.invoked.operation)
                situation = (going_on.wrote or going_on.rulings[0]).cell.situation
            operation = operation or event.operation
            break
    return Shape(seen.invariant, operation, situation, fault)


def _going_on(ledger: Ledger, events: Sequence[Event]) -> CallFacts | None:
    """The operation that the last step lets go on: it was called in an earlier one."""
    flights = Flights()
    for event in events:
        flights.apply(event)
    return ledger.calls[flights.going_on.invoked.call] if flights.going_on is not None else None
