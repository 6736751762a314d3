"""Meets a real worker at each moment, and prints what another connection sees then and after the kill.

A program, because Django is configured once a process: ``python -m tests.processes.meeting [SERVER]`` prints
one JSON object a moment.  Nothing is redelivered meanwhile: messages stay hidden for a minute.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from itertools import count
from typing import Any

from statemachine.binding import DEFAULT_BINDING
from statemachine.binding.fleet import Fleet, Work
from statemachine.processes.crew import Crew, turn
from statemachine.processes.databases import Database
from statemachine.processes.moments import MOMENTS, Moment, meet
from statemachine.processes.plan import PlannedJob
from statemachine.processes.servers import Operator
from statemachine.processes.stage import prepared_stage
from statemachine.processes.workers import Worker
from tests.support.waiting import until

WORK_SECONDS = 0.0
"""The shortest moments are met at a few chances in 100, on a busy machine at fewer: jobs must be cheap."""


NUMBERS = count(1)


def is_open(database: Database) -> bool:
    """Whether a transaction of a worker is open, on SQLite one that may write; by means of our own."""
    if database.url.startswith("sqlite"):
        with closing(sqlite3.connect(database.name, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return True
            return False
    import psycopg

    with psycopg.connect(database.url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
            "AND state LIKE 'idle in transaction%%'",
            (database.name,),
        ).fetchone()
    return found is not None and found[0] > 0


def seen(fleet: Fleet, job: str, database: Database, operator: Operator, left: int) -> dict[str, Any]:
    """The job's committed row, whether a transaction is open, and how many messages this moment left."""
    [row] = fleet.observe([job])
    return {
        "row": [row.status, row.attempt, row.results],
        "open": is_open(database),
        "messages": operator.depth(fleet.queues[0]) - left,
    }


def met(crew: Crew, moment: Moment, database: Database) -> Worker:
    """The crew's worker, frozen at ``moment``."""
    while True:
        if not crew.waiting:
            enqueue(crew)
        for _, worker, event in turn([crew]):
            if event["event"] == moment.opens and meet(worker, moment, database):
                return worker


def main(server: str | None) -> None:
    with prepared_stage(DEFAULT_BINDING, server=server, visibility_seconds=60) as stage:
        fleet, operator = stage.fleets[0], Operator(stage.sqs.endpoint)
        for moment in MOMENTS:
            # Those of the moments before, hidden until we are done.
            left = operator.depth(fleet.queues[0])
            crew = Crew(fleet, 1)
            try:
                worker = met(crew, moment, stage.database)
                lines = len(worker.lines)
                job, last = worker.last["job_id"], worker.last["event"]
                then = seen(fleet, job, stage.database, operator, left)
                worker.read()
                silent = len(worker.lines) == lines
                crew.kill(worker, moment.name)
                # A server needs a moment to see that its client is dead.
                until(lambda: not is_open(stage.database))
                after = seen(fleet, job, stage.database, operator, left)
            finally:
                crew.stop()
            told = {"moment": moment.name, "last": last, "silent": silent, "then": then, "after": after}
            sys.stdout.write(f"{json.dumps(told)}\n")


def enqueue(crew: Crew) -> None:
    crew.enqueue(PlannedJob(f"j{next(NUMBERS)}", crew.fleet.tenants[0], Work(WORK_SECONDS)))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
