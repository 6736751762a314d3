"""The faults that can strike a call, where each strikes, and the exception that stands for a killed process.

A call passes places: statements, commits, calls on the world's queue and publisher.  A fault is planned
for the n-th place of its kind, and strikes there or, when the call never comes that far, not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, NoReturn

from statemachine.lifecycle import FINISHES, Operation


class WorkerKilled(BaseException):
    """The process is gone.  Not an ``Exception``: code under test must not be able to go on from it."""


class PortUnavailable(Exception):
    """The queue, or the publisher, did not do what it was asked: a network error, or throttling."""


class Fault(StrEnum):
    """What strikes a call, in words for a report."""

    KILL_BEFORE_COMMIT = "kill_before_commit"
    KILL_AFTER_COMMIT = "kill_after_commit"
    ERROR_BEFORE_COMMIT = "error_before_commit"
    ANSWER_LOST = "answer_lost"
    ERROR_BEFORE_STATEMENT = "error_before_statement"
    ERROR_IN_PORT_CALL = "error_in_port_call"
    KILL_BEFORE_STATEMENT = "kill_before_statement"
    KILL_BEFORE_PORT_CALL = "kill_before_port_call"
    KILL_AFTER_PORT_CALL = "kill_after_port_call"
    KILL_WHILE_BLOCKED = "kill_while_blocked"
    DELETE_LOST = "delete_lost"
    SEND_DELAYED = "send_delayed"


class FaultPlace(StrEnum):
    """Where a call can be struck; the words begin the name of a crash boundary."""

    BEFORE_COMMIT = "before {}_commit"
    AFTER_COMMIT = "after {}_commit"
    BEFORE_STATEMENT = "before {}_statement"
    BEFORE_PORT_CALL = "before {}"
    AFTER_PORT_CALL = "after {}"
    IN_LOCK_WAIT = "during {}_lock_wait"

    def named(self, what: str) -> str:
        """The crash boundary at this place of ``what``.

        >>> FaultPlace.AFTER_COMMIT.named("finish")
        'after_finish_commit'
        """
        return self.format(what).replace(" ", "_")


PLACES = {
    Fault.KILL_BEFORE_COMMIT: FaultPlace.BEFORE_COMMIT,
    Fault.ERROR_BEFORE_COMMIT: FaultPlace.BEFORE_COMMIT,
    Fault.KILL_AFTER_COMMIT: FaultPlace.AFTER_COMMIT,
    Fault.ANSWER_LOST: FaultPlace.AFTER_COMMIT,
    Fault.KILL_BEFORE_STATEMENT: FaultPlace.BEFORE_STATEMENT,
    Fault.ERROR_BEFORE_STATEMENT: FaultPlace.BEFORE_STATEMENT,
    Fault.ERROR_IN_PORT_CALL: FaultPlace.BEFORE_PORT_CALL,
    Fault.KILL_BEFORE_PORT_CALL: FaultPlace.BEFORE_PORT_CALL,
    Fault.KILL_AFTER_PORT_CALL: FaultPlace.AFTER_PORT_CALL,
    Fault.KILL_WHILE_BLOCKED: FaultPlace.IN_LOCK_WAIT,
}
"""The faults that strike at a place of a call; the others are the queue's own doing."""

DATABASE_ERRORS = frozenset({Fault.ERROR_BEFORE_COMMIT, Fault.ANSWER_LOST, Fault.ERROR_BEFORE_STATEMENT})
"""What the caller lives to see: an error of its database."""


STATEMENT_FAILED = "statement_failed"
"""How a history calls an error before a statement that is no part of a transaction: nothing is undone."""


class Strike(NamedTuple):
    """A fault, and at which place of its kind: the ``at``-th that the call passes, from 1."""

    fault: Fault
    at: int = 1


class CallFaults:
    """One call at a time: counts the places that it passes, and strikes at the planned one.

    ``struck(fault)`` is told right before the strike; ``database_error()`` makes the error that a caller
    sees.  Once a kill has struck, the process is ``dead`` and passes no further place until the next
    call, since code under test may have an ``except Exception`` or a ``finally`` in the way.
    """

    def __init__(self, struck: Callable[[Fault], None], database_error: Callable[[], Exception]) -> None:
        self._struck = struck
        self._database_error = database_error
        self._strike: Strike | None = None
        self._stage = ""
        self._passed = 0
        self.dead = False
        self.boundary = ""

    def arm(self, strike: Strike | None, stage: str) -> None:
        """Begin a call; ``stage`` names it in a crash boundary (``prepare``, ``finish``)."""
        self._strike, self._stage, self._passed = strike, stage, 0
        self.dead, self.boundary = False, ""

    def plan(self, strike: Strike) -> None:
        """Let ``strike`` strike the call that is under way, counted from where it stands."""
        self._strike, self._passed = strike, 0

    def planned(self, fault: Fault) -> bool:
        """Whether the call that is being made is to meet ``fault``, one of the queue's own."""
        return self._strike is not None and self._strike.fault is fault

    def pass_by(self, place: FaultPlace, port: str | None = None) -> None:
        """The call has come to ``place`` (of a call on ``port``).

        Raises :class:`WorkerKilled`, or a database error, when the planned fault strikes here.
        """
        if self.dead:
            raise WorkerKilled
        strike = self._strike
        if strike is None or PLACES.get(strike.fault) is not place:
            return
        self._passed += 1
        if self._passed < strike.at:
            return
        self._strike = None
        self._struck(strike.fault)
        if strike.fault in DATABASE_ERRORS:
            raise self._database_error()
        if strike.fault is Fault.ERROR_IN_PORT_CALL:
            raise PortUnavailable(f"the {port} call failed (planned by the verifier)")
        self._die(place.named(port or self._stage))

    def kill(self, fault: Fault) -> NoReturn:
        """Kill the process now, by ``fault``, whatever was planned.  Raises :class:`WorkerKilled`."""
        self._strike = None
        self._struck(fault)
        self._die(PLACES[fault].named(self._stage))

    def _die(self, boundary: str) -> NoReturn:
        self.dead, self.boundary = True, boundary
        raise WorkerKilled


def stage_of(operation: Operation) -> str:
    """How crash boundaries and reach call an operation: all finishes are one stage.

    >>> stage_of(Operation.RELEASE)
    'finish'
    """
    return "finish" if operation in FINISHES else str(operation)


BETWEEN_STEPS = {
    "prepare": "after_receive",
    "finish": "during_inference",
    "acknowledge": "before_delete",
}
"""The crash boundary at which a worker dies that is killed between two steps, by its next step."""
