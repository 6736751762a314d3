"""The signature of a failure: what makes two failing histories one finding and not two.

One bug breaks the same claim in thousands of examples that have little else in common.  What they share
is the failing step: its operation, the situation of the job, and the fault that struck.  Fuzzers group
crashes in the same way, by the place of the crash.  Two bugs with one signature count as one here; once
the first is mended, the next run shows the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from statemachine.history.events import DrainEnded, Event, FaultStruck, Invoked, StepBegan
from statemachine.history.in_flight import Flights
from statemachine.history.ledger import CallFacts, Ledger
from statemachine.invariants import Violation


class Signature(NamedTuple):
    """The claim that broke and what the failing step did: text only, equal in every run."""

    invariant: str
    """The claim that broke."""
    operation: str
    """The operation of the failing step, or the one in flight that the step resumed; ``drain`` in a drain."""
    situation: str = ""
    """The cell of the legality table that the step's last call met; after a drain, the job's status.

    For a call in flight, the cell that its commit found.  Empty where the step made no call.
    """
    fault: str = ""
    """The fault that struck that call, or empty."""

    def __str__(self) -> str:
        where = f"{self.operation}: {self.situation}" if self.situation else self.operation
        return f"{where}; {self.fault}" if self.fault else where


def signature_of(ledger: Ledger, events: Sequence[Event], seen: Violation) -> Signature:
    """Return the signature of the failure ``seen`` at the end of ``events``.

    ``ledger`` has taken all of ``events``.
    """
    if isinstance(events[-1], DrainEnded):
        row = ledger.rows.get(seen.subject)
        return Signature(seen.invariant, "drain", row.status if row is not None else "")
    operation = situation = fault = ""
    # Backwards: of the calls of the failing step the last one counts, and what struck came during it.
    for event in reversed(events):
        if isinstance(event, FaultStruck):
            fault = event.fault
        elif isinstance(event, Invoked) and not operation:
            operation = str(event.operation)
            situation = ledger.calls[event.call].rulings[0].cell.situation
        elif isinstance(event, StepBegan):
            resumed = _resumed_call(ledger, events)
            if not operation and resumed is not None:
                operation = str(resumed.invoked.operation)
                # What a call in flight found at its commit, not at its begin: the overlap lies between.
                situation = (resumed.wrote or resumed.rulings[0]).cell.situation
            operation = operation or event.operation
            break
    return Signature(seen.invariant, operation, situation, fault)


def _resumed_call(ledger: Ledger, events: Sequence[Event]) -> CallFacts | None:
    """Return the call, begun in an earlier step, that the last step of ``events`` resumes."""
    flights = Flights()
    for event in events:
        flights.apply(event)
    return ledger.calls[flights.going_on.invoked.call] if flights.going_on is not None else None
