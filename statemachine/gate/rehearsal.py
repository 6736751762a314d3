"""PHASE 2 of the gate (gate report §2, §3) with real workers: a job of each pipeline, a kill, a dead letter.

The times are scaled to seconds, with the margin rule of production.  Everything is tried once: this shows
that the procedure works, not how often it would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from statemachine.binding import ObservedRow
from statemachine.gate.steps import Mark
from statemachine.processes.crew import Crew, turn
from statemachine.processes.fleet import Stop, Work
from statemachine.processes.plan import Job
from statemachine.processes.servers import Operator
from statemachine.processes.stage import Set
from statemachine.processes.workers import Worker, now

FOREVER = 1_000_000
"""More transient attempts than any queue allows receives."""
WORK_SECONDS = 0.2
WORK_TO_KILL_SECONDS = 1.5
PATIENCE_SECONDS = 20.0
"""For what no timeout delays: the start of a worker, and a job of a fraction of a second."""


class Item(NamedTuple):
    """One item of the checklist; an optional one may be left out."""

    number: int
    name: str
    found: str
    mark: Mark
    optional: bool = False


class Kill(NamedTuple):
    """What the kill test saw: the job, who was stopped, when and how, and its rows at the end."""

    job: str
    worker: str
    at: datetime
    how: Stop
    rows: Sequence[ObservedRow]


END_TO_END = ((2, "AI", "ai"), (3, "Video", "video"), (4, "Messaging", "messaging"))
"""Number, name, and the fleet that the item is about."""


class Rehearsal:
    """The run of one stage.  ``skip`` are names of fleets that are left out."""

    def __init__(self, stage: Set, stamp: str, stop: Stop, skip: Sequence[str] = ()) -> None:
        self.stage = stage
        self.stamp = stamp
        self.how = stop
        self.operator = Operator(stage.sqs.endpoint)
        self.crews = {fleet.name: Crew(fleet, 1) for fleet in stage.fleets if fleet.name not in skip}
        self.main = next(iter(self.crews.values()), None)
        self.kill: Kill | None = None

    def items(self) -> Iterator[Item]:
        """Each item of the checklist as soon as it is known, migrate first: the stage has migrated."""
        yield Item(1, "migrate", self.stage.database.description, Mark.PASS)
        ends = {name: self._enqueue(crew, "e2e", Work(WORK_SECONDS)) for name, crew in self.crews.items()}
        dead = self._enqueue(self.main, "dlq", Work(0, transient_attempts=FOREVER)) if self.main else None
        for number, name, fleet in END_TO_END:
            yield self._end_to_end(number, name, self.crews.get(fleet), ends.get(fleet))
        yield self._killed()
        yield self._dead_lettered(dead)

    def close(self) -> None:
        """Stop the workers and log what the database shows."""
        for crew in self.crews.values():
            crew.stop()
            if crew.jobs:
                crew.read_rows()

    # -- items ------------------------------------------------------------------------------

    def _end_to_end(self, number: int, name: str, crew: Crew | None, job: str | None) -> Item:
        title = f"{name}: one end to end"
        if crew is None or job is None:
            return Item(number, title, "", Mark.NOT_RUN, optional=True)
        ended = self._until(lambda: job in crew.ended, PATIENCE_SECONDS)
        row = _row(crew, job)
        right = ended and row.status == crew.fleet.lifecycle.done and row.results == 1
        found = f"{job} {row.status}, {row.results} result"
        return Item(number, title, found, Mark.PASS if right else Mark.FAIL, optional=True)

    def _killed(self) -> Item:
        title = "Worker kill"
        if self.main is None:
            return Item(5, title, "", Mark.NOT_RUN)
        crew = self.main
        ours = crew.fleet.lifecycle
        job = self._enqueue(crew, "kill", Work(WORK_TO_KILL_SECONDS))
        holder = self._holder_of(crew, job)
        if holder is None:
            return Item(5, title, f"{job} was never RUNNING in a worker's hands", Mark.FAIL)
        at = now()
        self._stop(crew, holder)
        patience = ours.visibility_seconds + WORK_TO_KILL_SECONDS + PATIENCE_SECONDS
        self._until(lambda: job in crew.ended, patience)
        row = _row(crew, job)
        acquisitions = _count(crew, job, "prepare.accepted")
        completions = _count(crew, job, "finish.accepted")
        self.kill = Kill(job, holder.name, at, self.how, list(crew.fleet.observe([job])))
        # Who is asked to stop may finish what it holds; who is killed cannot.
        once = acquisitions == 2 or (acquisitions == 1 and self.how is not Stop.KILL)
        right = row.status == ours.done and row.results == 1 and once and completions == 1
        found = (
            f"{job} stopped while RUNNING ({self.how}), reprocessed {acquisitions - 1}, {row.status}, "
            f"{row.results} result, duplicate completions {max(completions - 1, 0)}"
        )
        return Item(5, title, found, Mark.PASS if right else Mark.FAIL)

    def _holder_of(self, crew: Crew, job: str) -> Worker | None:
        """The worker that has the job, once the database shows it RUNNING."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            for which, worker, event in turn(list(self.crews.values())):
                mine = which is crew and event["event"] == "prepare.accepted" and event["job_id"] == job
                if mine and _row(crew, job).status == crew.fleet.lifecycle.running:
                    return worker
        return None

    def _stop(self, crew: Crew, worker: Worker) -> None:
        if self.how is Stop.KILL:
            crew.kill(worker, "while RUNNING")
        else:
            worker.stop(self.how)

    def _dead_lettered(self, job: str | None) -> Item:
        title = "DLQ"
        if self.main is None or job is None:
            return Item(6, title, "", Mark.NOT_RUN)
        crew, (_, dead) = self.main, self.main.fleet.queues
        ours = crew.fleet.lifecycle
        patience = (ours.max_receives + 1) * ours.visibility_seconds + PATIENCE_SECONDS
        arrived = self._until(lambda: self.operator.depth(dead) > 0, patience, every=0.5)
        receives = _count(crew, job, "message.received")
        row = _row(crew, job)
        for body in self.operator.take(dead) if arrived else ():
            told = f"message {body.message} lies in {dead}"
            crew.say("message.dead_lettered", told, message_id=body.message)
        right = arrived and receives == ours.max_receives and row.status not in ours.terminal
        found = f"{job} {row.status} after {receives} receives, " + (
            f"its message in {dead}" if arrived else f"nothing in {dead}"
        )
        return Item(6, title, found, Mark.PASS if right else Mark.FAIL)

    # -- what they share --------------------------------------------------------------------

    def _enqueue(self, crew: Crew, purpose: str, work: Work) -> str:
        name = f"worker-kill-test-{self.stamp}" if purpose == "kill" else f"gate-{purpose}-{self.stamp}"
        crew.enqueue(Job(name, crew.fleet.tenants[0], work))
        return name

    def _until(self, true: Callable[[], bool], seconds: float, every: float = 0.0) -> bool:
        until, asked = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            for _ in turn(list(self.crews.values())):
                pass
            if time.monotonic() >= asked + every:
                asked = time.monotonic()
                if true():
                    return True
        return true()


def _row(crew: Crew, job: str) -> ObservedRow:
    return next(iter(crew.fleet.observe([job])))


def _count(crew: Crew, job: str, event: str) -> int:
    """How often the workers of a crew have logged an event about a job, releases aside."""
    return sum(
        found["event"] == event and found.get("job_id") == job and found.get("operation") != "release"
        for found in crew.events()
    )
