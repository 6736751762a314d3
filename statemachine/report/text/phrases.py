"""The words that the table of steps and the timeline page share: steps, deadlines, operations in flight.

Operations in flight are described as a DBA would: a statement, a lock wait, the end.  That a statement was
executed says nothing of the rows that it found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.history.in_flight import Flight, Flights
from statemachine.history.ledger import Ledger
from statemachine.lifecycle import Lifecycle

DRAIN = "drain: faults stop, time moves on, workers work"

_EDGES = {"lease": "lease edge", "visibility": "visibility edge", "cap": "inference cap"}
_OFFSETS = {-1: "1 s before", 0: "exactly to", 1: "1 s past"}
_ACTIONS: Mapping[str, str] = {
    "create": "create {job}",
    "create_again": "create {job}",
    "kill_publisher": "publisher of {job} killed",
    "recover": "sweep",
    "forge": "message for {tenant}'s {job} forged",
    "send_malformed": "malformed message",
    "skew_clock": "clock of {worker} {seconds:+g} s",
}
_FAULTS = {
    "error_before_commit": "fails",
    "error_before_statement": "fails",
    "statement_failed": "fails",
    "serialization_failure": "fails: serialization failure",
    "deadlock": "fails: deadlock",
}


def edge_name(deadline: str) -> str:
    """The name of the second at which a deadline falls: ``lease edge``, ``inference cap``, ``retry time``."""
    return _EDGES.get(deadline, f"{deadline} time")


def action_of(step: StepBegan) -> str:
    """What the step does: ``create j1``; empty where the events that follow the step say it."""
    try:
        return _ACTIONS.get(step.operation, "").format_map(step.arguments)
    except (KeyError, ValueError):  # a saved history may lack an argument: show the rest of it all the same
        return ""


def destination(step: StepBegan) -> str:
    """Where a move of time ends, if at a deadline: ``exactly to the lease edge of j1``; else empty."""
    given = step.arguments
    if step.operation != "advance_to" or not {"deadline", "of"} <= given.keys():
        return ""
    offset = int(given.get("offset", 0))
    place = _OFFSETS.get(offset, f"{offset:+d} s from")
    return f"{place} the {edge_name(str(given['deadline']))} of {given['of']}"


def call_text(call: history.Invoked) -> str:
    """The call as it was made: ``create j1``, ``prepare``, a stray's ``complete(j1, attempt 2) as t1``."""
    if call.actor == "stray":
        token = "" if call.attempt is None else f", attempt {call.attempt}"
        return f"{call.operation}({call.job}{token}) as {call.tenant}"
    # A worker's job is that of its delivery, which the report has named before.
    names_job = call.actor in ("application", "publisher")
    return f"{call.operation} {call.job}" if names_job else str(call.operation)


# -- operations in flight -----------------------------------------------------------------------------


@dataclass(slots=True)
class Turn:
    """One operation in flight in the one step that resumes or kills it."""

    flight: Flight

    statement: str
    """The statement that the step names, ``resumes`` after a lock wait, empty for a kill."""

    executed: bool = False

    blocked_by: str = ""
    """The name of the operation that holds the lock for which this one now waits."""

    faults: list[str] = field(default_factory=list)

    sent: list[str] = field(default_factory=list)
    """Messages that the operation sends in this step, for a report that has no column for the queue."""

    answer: str = ""
    """What the caller gets, in the words of the report that is made."""

    death: str = ""
    """Where the operation was killed: ``before COMMIT``."""

    def take(self, event: Event, flights: Flights) -> None:
        """Note what ``event`` says of the operation; ``flights`` must have taken the event already."""
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
                self.faults.append(_FAULTS.get(fault, f"({fault.replace('_', ' ')})"))

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
        """Return ``UPDATE ai_job (blocked by A)``; ``killed`` is put before the place of a death."""
        if self.death and not self.executed:
            return f"{killed}{self.death}"
        blocked = f" (blocked by {self.blocked_by})" if self.blocked_by else ""
        fails = "".join(f" {fault}" for fault in self.faults)
        sent = f"; sends {', '.join(self.sent)}" if self.sent else ""
        died = f", {killed}{self.death}" if self.death else ""
        answer = f" → {self.answer}" if self.answer else ""
        return f"{self.statement}{blocked}{fails}{sent}{died}{answer}"


def turn_of(step: StepBegan, flights: Flights) -> Turn | None:
    """The turn of a step that ``flights`` has taken; None if the step resumes and kills no operation."""
    if flights.going_on is None:
        return None
    return Turn(flights.going_on, str(step.arguments.get("statement", "")))


def beginning(flight: Flight) -> str:
    """What the step shows in which ``flight`` began: ``prepare begins``, or the lock that it waits for."""
    what = call_text(flight.invoked)
    if flight.waits_for:
        return f"{what}: {flight.statement} (blocked by {flight.waits_for})"
    return f"{what} begins"


class HistorySoFar:
    """The state of a history after the events taken so far; both reports are made event by event."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.ledger = Ledger(lifecycle)
        self.flights = Flights()

        self.turn: Turn | None = None
        """The operation that the present step resumes or kills."""

    def take(self, event: Event) -> None:
        """Apply the next event."""
        self.ledger.apply(event)
        self.flights.apply(event)
        match event:
            case StepBegan():
                self.turn = turn_of(event, self.flights)
            case history.DrainBegan():
                self.turn = None
            case _ if self.turn is not None:
                self.turn.take(event, self.flights)
