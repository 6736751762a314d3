"""What an operation in flight does in one step, in the words of a DBA: a statement, a lock wait, its end.

The text table and the timeline say the same, from here.  That a statement was executed says nothing of the
rows that it found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.history.in_flight import Flight, Flights

_SAID_OF_FAULTS = {
    "error_before_commit": "fails",
    "error_before_statement": "fails",
    "statement_failed": "fails",
    "serialization_failure": "fails: serialization failure",
    "deadlock": "fails: deadlock",
}


@dataclass(slots=True)
class Turn:
    """One operation in one step, which lets it go on or kills it.

    ``answer`` is what its caller is told, in the words of whoever draws; ``death`` where it dies.
    """

    flight: Flight
    statement: str
    executed: bool = False
    blocked_by: str = ""
    faults: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    answer: str = ""
    death: str = ""

    def take(self, event: Event, flights: Flights) -> None:
        """Note what the event, which ``flights`` has taken, says of the operation."""
        if getattr(event, "call", None) != self.flight.invoked.call:
            return
        match event:
            case history.StatementBegan():
                self.executed = True
            case history.LockWaited():
                holder = flights.of(event.holder)
                self.blocked_by = holder.by if holder is not None else f"call {event.holder}"
            case history.FaultStruck(fault=fault) if fault.startswith("kill_"):
                self.death = self._death(fault)
            case history.FaultStruck(fault=fault) if fault != "answer_lost":  # the answer itself says it
                self.faults.append(_SAID_OF_FAULTS.get(fault, f"({fault.replace('_', ' ')})"))

    def _death(self, fault: str) -> str:
        if fault == "kill_before_commit":
            return "before COMMIT"
        if fault == "kill_while_blocked":
            return "as its wait was over" if self.flight.over else "waiting for a lock"
        if fault == "kill_before_statement" and self.statement:
            return f"before {self.statement}"
        if fault == "kill_before_statement":
            last = self.flight.statement
            return f"after {last}" if last else "before its first statement"
        return fault.removeprefix("kill_").replace("_", " ")

    def text(self, killed: str = "KILLED ") -> str:
        """All of it; ``killed`` is put before the place of a death."""
        if self.death and not self.executed:
            return f"{killed}{self.death}"
        blocked = f" (blocked by {self.blocked_by})" if self.blocked_by else ""
        fails = "".join(f" {fault}" for fault in self.faults)
        sent = f"; sends {', '.join(self.sent)}" if self.sent else ""
        died = f", {killed}{self.death}" if self.death else ""
        answer = f" → {self.answer}" if self.answer else ""
        return f"{self.statement}{blocked}{fails}{sent}{died}{answer}"


def turn_of(step: StepBegan, flights: Flights) -> Turn | None:
    """The turn of a step that ``flights`` has taken; None for one that begins something, or moves time."""
    if flights.going_on is None:
        return None
    return Turn(flights.going_on, str(step.arguments.get("statement", "")))


def beginning(flight: Flight) -> str:
    """What is said of an operation that began in the step that is over, and has not ended in it."""
    what = _named(flight.invoked)
    if flight.waits_for:
        return f"{what}: {flight.statement} (blocked by {flight.waits_for})"
    return f"{what} begins"


def _named(asked: history.Invoked) -> str:
    if asked.actor == "stray":
        token = "" if asked.attempt is None else f", attempt {asked.attempt}"
        return f"{asked.operation}({asked.job}{token}) as {asked.tenant}"
    office = asked.actor in ("application", "publisher")
    return f"{asked.operation} {asked.job}" if office else str(asked.operation)
