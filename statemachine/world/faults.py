"""The faults that can strike a call, where each strikes, and the exception that stands for a killed process.

A call passes *places*: statements, commits, calls on the world's queue and publisher.  A fault is planned for
the n-th place of its kind and strikes there, or not at all when the call does not get that far.

Which operations a fault may strike, and how often, is in ``operations/strikes.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, NoReturn

from statemachine.lifecycle import FINISHES, Operation


class EndOfExample(BaseException):
    """The example ends in the middle of a call: no answer of the system, and nothing to go on from.

    A ``BaseException``, so that an ``except Exception`` in the code under test does not stop it.
    """


class WorkerKilled(BaseException):
    """The process that makes the call is dead.

    A ``BaseException``: an ``except Exception`` in the code under test must not be able to continue from it,
    as no code can continue after a kill.
    """


class PortUnavailable(Exception):
    """A call on the queue or the publisher failed, as by a network error or throttling."""


class Fault(StrEnum):
    """What strikes a call; the words stand in histories and reports."""

    KILL_BEFORE_COMMIT = "kill_before_commit"
    KILL_AFTER_COMMIT = "kill_after_commit"
    ERROR_BEFORE_COMMIT = "error_before_commit"
    ANSWER_LOST = "answer_lost"
    """The database has committed, and the caller gets an error of its connection instead of the answer."""
    ERROR_BEFORE_STATEMENT = "error_before_statement"
    ERROR_IN_PORT_CALL = "error_in_port_call"
    KILL_BEFORE_STATEMENT = "kill_before_statement"
    KILL_BEFORE_PORT_CALL = "kill_before_port_call"
    KILL_AFTER_PORT_CALL = "kill_after_port_call"
    KILL_WHILE_BLOCKED = "kill_while_blocked"
    """A kill inside a statement that waits for a lock; in the transactions lane only."""
    DELETE_LOST = "delete_lost"
    """The queue answers a delete with success and keeps the message, as SQS may."""
    SEND_DELAYED = "send_delayed"
    """A sent message becomes visible 900 s later only."""


class FaultPlace(StrEnum):
    """Where a call can be struck; with the operation's name the words make that of a crash boundary."""

    BEFORE_COMMIT = "before {}_commit"
    AFTER_COMMIT = "after {}_commit"
    BEFORE_STATEMENT = "before {}_statement"
    BEFORE_PORT_CALL = "before {}"
    AFTER_PORT_CALL = "after {}"
    IN_LOCK_WAIT = "during {}_lock_wait"

    def named(self, what: str) -> str:
        """Return the name of the crash boundary at this place of the operation or port ``what``.

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
"""The place at which each fault strikes.  Faults that are not here are the queue's own doing."""

DATABASE_ERRORS = frozenset({Fault.ERROR_BEFORE_COMMIT, Fault.ANSWER_LOST, Fault.ERROR_BEFORE_STATEMENT})
"""Faults that the caller survives and sees as an error of its database."""

STATEMENT_FAILED = "statement_failed"
"""Name in histories of an error before a statement in autocommit, which undoes nothing."""


class Strike(NamedTuple):
    """A fault that is planned for a call."""

    fault: Fault
    at: int = 1
    """It strikes at the ``at``-th place of its kind that the call passes, counted from 1."""


class CallFaults:
    """Counts the places that one call passes, and strikes at the planned one."""

    def __init__(self, struck: Callable[[Fault], None], database_error: Callable[[], Exception]) -> None:
        """``struck(fault)`` is called right before a strike; ``database_error()`` makes the error for it."""
        self._struck = struck
        self._database_error = database_error
        self._strike: Strike | None = None
        self._stage = ""
        self._passed = 0
        self.dead = False
        """Whether a kill has struck this call.

        A kill is an exception here, and the code under test unwinds through its own ``except`` and
        ``finally`` blocks.  A dead process runs none of them, so from now on it passes no further place.
        """
        self.boundary = ""
        """The crash boundary at which it was killed (``before_finish_commit``); empty while it lives."""

    def arm(self, strike: Strike | None, stage: str) -> None:
        """Begin a call; ``stage`` names it in a crash boundary (``prepare``, ``finish``)."""
        self._strike, self._stage, self._passed = strike, stage, 0
        self.dead, self.boundary = False, ""

    def plan(self, strike: Strike) -> None:
        """Plan ``strike`` for the call in flight, counted from where it stands."""
        self._strike, self._passed = strike, 0

    def planned(self, fault: Fault) -> bool:
        """Return whether ``fault``, one of the queue's own, is planned for the call in flight."""
        return self._strike is not None and self._strike.fault is fault

    def pass_by(self, place: FaultPlace, port: str | None = None) -> None:
        """Note that the call has come to ``place`` (of a call on ``port``).

        Raise :class:`WorkerKilled`, :class:`PortUnavailable` or a database error when the planned fault
        strikes here.
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
    """Return the name of an operation in crash boundaries and reach: all finishes are one stage.

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
