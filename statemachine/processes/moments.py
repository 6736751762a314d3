"""The moments at which a worker is killed, and how one is met: freeze, look, then kill.

Which step a worker is at, is known from its log only after the fact, and some steps last a millisecond.
So a worker that has logged the step before is frozen, and looked at: what it logged last, and whether a
transaction is open in the database.  If it stands where it is wanted it is killed, and that moment is a
fact, not a hope.  If not, it is thawed for a fraction of a millisecond and looked at again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from statemachine.processes.databases import Database
from statemachine.processes.workers import Worker

PULSES = 40
PULSE_SECONDS = 0.0002
SURE_SECONDS = 0.02
"""A transaction that stays open for so long while its worker stands still is that worker's own: those of
others end within a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Moment:
    """``opens`` is the log event that announces it, ``within`` are those that may have come last."""

    name: str
    opens: str
    within: frozenset[str]
    also: Callable[[Worker, Database], bool] = lambda worker, database: True


def _transaction_stays_open(worker: Worker, database: Database) -> bool:
    until = time.monotonic() + SURE_SECONDS
    while database.in_transaction():
        if time.monotonic() > until:
            return True
        time.sleep(0.001)
    return False


def _delete_is_next(worker: Worker, database: Database) -> bool:
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
# The deletion may be on its way: between the two lines lie 0.1 ms, in which hardly any worker is caught.
BEFORE_DELETE = Moment(
    "between commit and delete",
    "finish.accepted",
    frozenset({"finish.accepted", "delete.called"}),
    also=_delete_is_next,
)
MOMENTS = (BEFORE_PREPARE, IN_PREPARE, RUNNING, IN_FINISH, BEFORE_DELETE)


def meet(worker: Worker, moment: Moment, database: Database) -> bool:
    """Freeze ``worker`` at ``moment``; False, and it runs on, when it has passed it or has ended."""
    for _ in range(PULSES):
        worker.freeze()
        worker.read()
        if not worker.frozen or worker.last.get("event") not in moment.within:
            break
        if moment.also(worker, database):
            return True
        worker.thaw()
        time.sleep(PULSE_SECONDS)
    worker.thaw()
    return False
