"""Which operations are in flight at each moment of a history, and how far each has come.

An operation is in flight from its invocation to its end.  In the lane that runs each operation whole, none is
in flight between two steps.  A history does not show what an operation will do next, nor whether a plain
SELECT has a transaction around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from statemachine.history import events as history
from statemachine.history.events import Event

GOES_ON = "proceed"
"""The step in which an operation in flight executes its next statement."""

KILLED = "kill_in_flight"
"""The step in which the process that makes an operation in flight is killed."""

_LOCKS = (" FOR UPDATE", " FOR NO KEY UPDATE", " FOR SHARE", " FOR KEY SHARE")
_WRITES = ("INSERT ", "UPDATE ", "DELETE ", "SAVEPOINT")
_ENDS = ("COMMIT", "ROLLBACK")


@dataclass(slots=True)
class Flight:
    """One operation, and how far it has come."""

    by: str  # its actor, as steps name it; ``stray 2`` for a second call of the same actor
    invoked: history.Invoked
    began: int  # the number of the step in which it began
    steps: list[int] = field(default_factory=list)  # of the steps in which it went on or was killed
    commits: list[int] = field(default_factory=list)  # of the steps in which it committed
    sent: dict[str, int] = field(default_factory=dict)  # message: the step in which it was sent
    ended: int | None = None  # the step in which it ended
    statement: str = ""  # the latest SQL statement
    waits_for: str = ""  # who holds the lock that the statement waits for
    over: bool = False  # a lock wait is over, and it has not gone on since
    in_transaction: bool = False
    killed: bool = False

    @property
    def standing(self) -> str:
        """Return what it is in the middle of, in a few words."""
        if self.waits_for:
            return f"waits for {self.waits_for}"
        if self.over:
            return "wait over"
        return "in transaction" if self.in_transaction else f"in {self.invoked.operation}"

    @property
    def overlaps(self) -> bool:
        """Whether another step could come between its beginning and its end."""
        return bool(self.steps) or self.ended is None


class Flights:
    """The operations of one history so far.  :meth:`apply` takes the next event."""

    def __init__(self) -> None:
        self.step = 0
        self.open: dict[str, Flight] = {}  # those in flight, by :attr:`Flight.by`
        self.going_on: Flight | None = None  # the one that the present step resumes or kills
        self.seen: list[Flight] = []  # all, in the order of their invocation
        self._by_call: dict[int, Flight] = {}

    def apply(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, history.StepBegan):
            self._step_began(event)
        elif isinstance(event, history.Invoked):
            by = event.actor if event.actor not in self.open else f"{event.actor} 2"
            flight = self.open[by] = self._by_call[event.call] = Flight(by, event, self.step)
            self.seen.append(flight)
        else:
            call = getattr(event, "call", None)
            flight_of_call = self._by_call.get(call) if call is not None else None
            if flight_of_call is not None:
                self._add(flight_of_call, event)

    def of(self, call: int) -> Flight | None:
        """Return the operation whose call has that number, or None."""
        return self._by_call.get(call)

    def begun_in(self, step: int) -> Iterable[Flight]:
        """Return the operations in flight that began in ``step``."""
        return [flight for flight in self.open.values() if flight.began == step]

    def _step_began(self, event: history.StepBegan) -> None:
        self.step, self.going_on = event.step, None
        if event.operation not in (GOES_ON, KILLED):
            return
        flight = self.going_on = self.open.get(str(event.arguments.get("by")))
        if flight is not None:
            flight.steps.append(event.step)
            flight.killed = event.operation == KILLED
            flight.over = flight.over and flight.killed

    def _add(self, flight: Flight, event: Event) -> None:
        match event:
            case history.StatementBegan():
                flight.statement, flight.waits_for = event.statement, ""
                flight.in_transaction = _is_in_transaction(event.statement, flight.in_transaction)
            case history.LockWaited():
                holder = self.of(event.holder)
                flight.waits_for = holder.by if holder is not None else f"call {event.holder}"
            case history.LockGranted():
                flight.waits_for, flight.over = "", True
            case history.FaultStruck(fault="deadlock"):
                flight.waits_for = ""  # its transaction was chosen to end the deadlock
            case history.Committed():
                flight.commits.append(self.step)
                flight.in_transaction = False
            case history.Sent():
                flight.sent[event.message] = self.step
            case history.Returned() | history.Raised() | history.Unknown():
                flight.ended = self.step
                self.open.pop(flight.by, None)


def flights_of(events: Iterable[Event]) -> list[Flight]:
    """Return the operations of a history that could overlap with others."""
    flights = Flights()
    for event in events:
        flights.apply(event)
    return [flight for flight in flights.seen if flight.overlaps]


def _is_in_transaction(statement: str, before: bool) -> bool:
    if statement in _ENDS:
        return False
    # A lock needs a transaction.  So does a write that stays open: by autocommit its COMMIT follows at once.
    return before or statement.startswith(_WRITES) or any(lock in statement for lock in _LOCKS)
