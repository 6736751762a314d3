"""The moments at which a worker is struck, and how one is met: freeze, look, then kill.

A log tells which step a worker is at only after the fact, and some steps last a millisecond: a SIGKILL
aimed at a log line arrives too late.  So a worker that has logged the step before is stopped by SIGSTOP
and looked at: its last line, and whether the database has a transaction open.  A stopped process executes
nothing, so what is seen stays true until the SIGKILL that follows, and the moment is a fact, not a hope.
If the worker stands elsewhere, it runs for 0.2 ms (SIGCONT) and is looked at again.

It cannot choose between two instructions inside of one moment: that is up to the operating system.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from statemachine.processes.databases import Database
from statemachine.processes.workers import Worker

PULSES = 40
"""Looks at one worker before the moment counts as passed: 40 pulses let it run for 8 ms in all."""
PULSE_SECONDS = 0.0002
"""Run time between two looks, a fifth of a transaction that lasts a millisecond."""
SURE_SECONDS = 0.02
"""A transaction that stays open for 20 ms while its worker is stopped is that worker's own: those of the
other workers, which run on, end within a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the work on a job, recognised by what the worker has logged."""

    name: str
    """Its name in reports and in plan.json."""
    opens: str
    """The log event that announces it."""
    within: frozenset[str]
    """The events of which one must be the last that the worker has logged."""
    also: Callable[[Worker, Database], bool] = lambda worker, database: True
    """What must be true besides, of the stopped worker and the database."""


def _transaction_stays_open(worker: Worker, database: Database) -> bool:
    # The database shows that some transaction is open, not whose it is.
    until = time.monotonic() + SURE_SECONDS
    while database.in_transaction():
        if time.monotonic() > until:
            return True
        time.sleep(0.001)
    return False


def _delete_is_next(worker: Worker, database: Database) -> bool:
    # A released job keeps its message: there is no deletion to come before.
    return worker.last.get("operation") != "release"


BEFORE_PREPARE = Moment("before prepare", "message.received", frozenset({"message.received"}))
IN_PREPARE = Moment(
    "inside prepare's transaction",
    "prepare.called",
    frozenset({"prepare.called"}),
    also=_transaction_stays_open,
)
RUNNING = Moment(
    "while RUNNING",
    "prepare.accepted",
    frozenset({"prepare.accepted", "inference.started", "visibility.extended"}),
)
IN_FINISH = Moment(
    "inside the finish's transaction",
    "finish.called",
    frozenset({"finish.called"}),
    also=_transaction_stays_open,
)
# The deletion may be on its way: 0.1 ms lie between finish.accepted and delete.called, in which hardly any
# worker is caught, so either may be the last line.
BEFORE_DELETE = Moment(
    "between commit and delete",
    "finish.accepted",
    frozenset({"finish.accepted", "delete.called"}),
    also=_delete_is_next,
)
MOMENTS = (BEFORE_PREPARE, IN_PREPARE, RUNNING, IN_FINISH, BEFORE_DELETE)


def meet(worker: Worker, moment: Moment, database: Database) -> bool:
    """Freeze ``worker`` at ``moment``; return False, and let it run on, if it has passed it or has ended."""
    for _ in range(PULSES):
        worker.freeze()
        # In this order: a line that was still in the pipe would hide that the moment is over.
        worker.read()
        if not worker.frozen or worker.last.get("event") not in moment.within:
            break
        if moment.also(worker, database):
            return True
        worker.thaw()
        time.sleep(PULSE_SECONDS)
    worker.thaw()
    return False
