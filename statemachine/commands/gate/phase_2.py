"""PHASE 2 of the gate (gate report §2, §3) with real workers: a job of each pipeline, a kill, a dead letter.

The times are scaled to seconds, with the margin rule of production.  Everything is tried once: this shows
that the procedure works, not how often it would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from statemachine.binding import ObservedRow
from statemachine.binding.fleet import Stop, Work
from statemachine.commands.gate.steps import StepMark
from statemachine.processes.crew import Crew, turn
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


class ChecklistItem(NamedTuple):
    """One item of the checklist; an optional one may be left out."""

    number: int
    name: str
    found: str
    mark: StepMark
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

Found = tuple[str, StepMark]
Steps = Iterator[Found | None]
"""An item in the making: None once it has been begun, and then what was found."""


class Play(NamedTuple):
    """An item to be played; ``steps`` is None when what it is about is not there."""

    number: int
    name: str
    steps: Steps | None
    optional: bool = False

    def next(self) -> ChecklistItem | None:
        """The item, or None when it has only been begun.  An error is what its item shows."""
        if self.steps is None:
            return ChecklistItem(self.number, self.name, "", StepMark.NOT_RUN, self.optional)
        try:
            found = next(self.steps)
        except Exception as error:  # noqa: BLE001  whatever the system raises fails this item, and no other
            text = " ".join(str(error).split())
            return ChecklistItem(
                self.number, self.name, f"{type(error).__name__}: {text}", StepMark.FAIL, self.optional
            )
        return found and ChecklistItem(self.number, self.name, *found, self.optional)


class Rehearsal:
    """The run of one stage.  ``skip`` are names of fleets that are left out.

    Worker kill and DLQ are about the stage's first fleet, the AI jobs of gate report §2: no other can stand
    in for it.
    """

    def __init__(self, stage: Set, stamp: str, stop: Stop, skip: Collection[str] = ()) -> None:
        self.stage = stage
        self.stamp = stamp
        self.how = stop
        self.operator = Operator(stage.sqs.endpoint)
        self.crews = {fleet.name: Crew(fleet, 1) for fleet in stage.fleets if fleet.name not in skip}
        self.main = self.crews.get(stage.fleets[0].name)
        self.kill: Kill | None = None

    def items(self) -> Iterator[ChecklistItem]:
        """Each item of the checklist as soon as it is known, migrate first: the stage has migrated."""
        yield ChecklistItem(1, "migrate", self.stage.database.description, StepMark.PASS)
        main = self.main
        plays = [
            *(self._end_to_end(number, name, self.crews.get(fleet)) for number, name, fleet in END_TO_END),
            Play(5, "Worker kill", self._killed(main) if main else None),
            Play(6, "DLQ", self._dead_lettered(main) if main else None),
        ]
        # All are begun before any is waited for: a message takes several timeouts to get to the DLQ.
        begun = [play.next() for play in plays]
        for play, item in zip(plays, begun, strict=True):
            found = item or play.next()
            if found is not None:
                yield found

    def close(self) -> None:
        """Stop the workers and log what the database shows."""
        for crew in self.crews.values():
            crew.stop()
            if crew.jobs:
                crew.read_rows()

    # -- items ------------------------------------------------------------------------------

    def _end_to_end(self, number: int, name: str, crew: Crew | None) -> Play:
        steps = self._one_job(crew) if crew else None
        return Play(number, f"{name}: one end to end", steps, optional=True)

    def _one_job(self, crew: Crew) -> Steps:
        job = self._enqueue(crew, "e2e", Work(WORK_SECONDS))
        yield None
        ended = self._until(lambda: job in crew.ended, PATIENCE_SECONDS)
        row = _row(crew, job)
        right = ended and row.status == crew.fleet.lifecycle.done and row.results == 1
        yield f"{job} {row.status}, {row.results} result", StepMark.PASS if right else StepMark.FAIL

    def _killed(self, crew: Crew) -> Steps:
        yield None
        ours = crew.fleet.lifecycle
        job = self._enqueue(crew, "kill", Work(WORK_TO_KILL_SECONDS))
        holder = self._holder_of(crew, job)
        if holder is None:
            yield f"{job} was never RUNNING in a worker's hands", StepMark.FAIL
            return
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
        yield found, StepMark.PASS if right else StepMark.FAIL

    def _holder_of(self, crew: Crew, job: str) -> Worker | None:
        """The worker that has the job, once the database shows it RUNNING."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            for which, worker, event in turn(list(self.crews.values())):
                acquired = event["event"] == "prepare.accepted" and event.get("job_id") == job
                if which is crew and acquired and _row(crew, job).status == crew.fleet.lifecycle.running:
                    return worker
        return None

    def _stop(self, crew: Crew, worker: Worker) -> None:
        if self.how is Stop.KILL:
            crew.kill(worker, "while RUNNING")
        else:
            worker.stop(self.how)

    def _dead_lettered(self, crew: Crew) -> Steps:
        job = self._enqueue(crew, "dlq", Work(0, transient_attempts=FOREVER))
        yield None
        ours, (_, dead) = crew.fleet.lifecycle, crew.fleet.queues
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
        yield found, StepMark.PASS if right else StepMark.FAIL

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
    for row in crew.fleet.observe([job]):
        return row
    raise LookupError(f"the fleet of {crew.fleet.name} observes no row of {job}")


def _count(crew: Crew, job: str, event: str) -> int:
    """How often the workers of a crew have logged an event about a job, releases aside."""
    return sum(
        found["event"] == event and found.get("job_id") == job and found.get("operation") != "release"
        for found in crew.events()
    )
