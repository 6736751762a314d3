"""PHASE 2 of the gate (docs/gate.md, §2 and §3): a job of each pipeline, a kill and a dead letter, for real.

Leases and timeouts are scaled to seconds and keep the margin between them.  Each item is tried once: this
shows that the procedure works, not how often it does.
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
from statemachine.processes.plan import PlannedJob
from statemachine.processes.servers import Operator
from statemachine.processes.stage import PreparedStage
from statemachine.processes.workers import Worker, now

FOREVER = 1_000_000
"""More transient attempts than any queue allows receives."""
WORK_SECONDS = 0.2
WORK_TO_KILL_SECONDS = 1.5
PATIENCE_SECONDS = 20.0
"""Seconds to wait for the start of a worker and for a short job, which no timeout delays."""


class ChecklistItem(NamedTuple):
    """One item of the checklist."""

    number: int
    name: str
    found: str
    mark: StepMark
    optional: bool = False


class KillTest(NamedTuple):
    """What happened in the kill test."""

    job: str
    worker: str
    """The worker that was stopped while it held the job."""
    at: datetime
    how: Stop
    rows: Sequence[ObservedRow]
    """The job's rows at the end."""


END_TO_END = ((2, "AI", "ai"), (3, "Video", "video"), (4, "Messaging", "messaging"))
"""Number and name of the item, and the name of its fleet."""

Found = tuple[str, StepMark]
Steps = Iterator[Found | None]
"""Yields None when the item has been begun, and then what was found."""


class PendingItem(NamedTuple):
    """An item that is not finished yet."""

    number: int
    name: str
    steps: Steps | None
    """None when its fleet is missing or skipped, so that it cannot run."""
    optional: bool = False

    def next(self) -> ChecklistItem | None:
        """Begin or finish the item; return it when it is finished, else None.  An error fails it."""
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
    """The checklist on one stage.  ``skip`` names fleets that are left out.

    Worker kill and DLQ are about the stage's first fleet, the AI jobs of §2.  Without it they do not run.
    """

    def __init__(self, stage: PreparedStage, stamp: str, stop: Stop, skip: Collection[str] = ()) -> None:
        self.stage = stage
        self.stamp = stamp
        self.how = stop
        self.operator = Operator(stage.sqs.endpoint)
        self.crews = {fleet.name: Crew(fleet, 1) for fleet in stage.fleets if fleet.name not in skip}
        self.main = self.crews.get(stage.fleets[0].name)
        self.kill: KillTest | None = None

    def items(self) -> Iterator[ChecklistItem]:
        """Yield each item as soon as it is finished; ``migrate`` at once, since the stage is migrated."""
        yield ChecklistItem(1, "migrate", self.stage.database.description, StepMark.PASS)
        main = self.main
        pending = [
            *(self._end_to_end(number, name, self.crews.get(fleet)) for number, name, fleet in END_TO_END),
            PendingItem(5, "Worker kill", self._killed(main) if main else None),
            PendingItem(6, "DLQ", self._dead_lettered(main) if main else None),
        ]
        # All begin before any is awaited: a message needs several visibility timeouts to reach the DLQ.
        begun = [one.next() for one in pending]
        for one, item in zip(pending, begun, strict=True):
            found = item or one.next()
            if found is not None:
                yield found

    def close(self) -> None:
        """Stop the workers and log the rows that the database holds."""
        for crew in self.crews.values():
            crew.stop()
            if crew.jobs:
                crew.read_rows()

    # -- items ------------------------------------------------------------------------------

    def _end_to_end(self, number: int, name: str, crew: Crew | None) -> PendingItem:
        steps = self._one_job(crew) if crew else None
        return PendingItem(number, f"{name}: one end to end", steps, optional=True)

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
        self.kill = KillTest(job, holder.name, at, self.how, list(crew.fleet.observe([job])))
        # A worker that is asked to stop may finish its job first; a killed one cannot.
        once = acquisitions == 2 or (acquisitions == 1 and self.how is not Stop.KILL)
        right = row.status == ours.done and row.results == 1 and once and completions == 1
        found = (
            f"{job} stopped while RUNNING ({self.how}), reprocessed {acquisitions - 1}, {row.status}, "
            f"{row.results} result, duplicate completions {max(completions - 1, 0)}"
        )
        yield found, StepMark.PASS if right else StepMark.FAIL

    def _holder_of(self, crew: Crew, job: str) -> Worker | None:
        """Wait until the job is RUNNING; return the worker that holds it, or None."""
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
            crew.log(
                "message.dead_lettered", f"message {body.message} lies in {dead}", message_id=body.message
            )
        right = arrived and receives == ours.max_receives and row.status not in ours.terminal
        found = f"{job} {row.status} after {receives} receives, " + (
            f"its message in {dead}" if arrived else f"nothing in {dead}"
        )
        yield found, StepMark.PASS if right else StepMark.FAIL

    # -- shared by the items ----------------------------------------------------------------

    def _enqueue(self, crew: Crew, purpose: str, work: Work) -> str:
        name = f"worker-kill-test-{self.stamp}" if purpose == "kill" else f"gate-{purpose}-{self.stamp}"
        crew.enqueue(PlannedJob(name, crew.fleet.tenants[0], work))
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
    """Return how often the crew's workers have logged an event about a job, without releases."""
    return sum(
        found["event"] == event and found.get("job_id") == job and found.get("operation") != "release"
        for found in crew.events()
    )
