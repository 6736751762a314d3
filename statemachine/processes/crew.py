"""One fleet at work: its processes, its jobs and everything that was logged about them.

A worker that ends, by our hand or by itself, is replaced after a moment, as a supervisor does.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.binding.fleet import Fleet, FleetError, Stop
from statemachine.logs import JudgedLog, Reader, judge_lines
from statemachine.processes.plan import PlannedJob
from statemachine.processes.servers import Operator
from statemachine.processes.workers import END_SECONDS, Worker, line, read, ready

RESTART_SECONDS = 0.2
TICK_SECONDS = 0.05
FRUITLESS = 5
"""So many workers in a row that end by themselves before any of them has received a message: the next would
do no better."""


class Crew:
    """``lines`` are those of the operator; ``jobs`` those that were enqueued, by name.

    Its workers are started by the first :func:`turn`.  ``excused`` says that they cannot be expected to stay
    alive, because their queue is down.
    """

    def __init__(self, fleet: Fleet, size: int) -> None:
        self.fleet = fleet
        self.size = size
        self.workers: list[Worker] = []
        self.gone: list[Worker] = []
        self.jobs: dict[str, PlannedJob] = {}
        self.ended: set[str] = set()
        self.lines: list[str] = []
        self.unasked_exits: list[str] = []
        self.excused = False
        self._fruitless = 0
        self._start_at = [0.0] * size

    def start(self) -> None:
        number = len(self.workers) + len(self.gone) + 1
        self.workers.append(Worker(self.fleet, f"{self.fleet.name}-{number}", self.note))

    def say(self, event: str, text: str, **fields: object) -> None:
        self.lines.append(line(event, text, **fields))

    @property
    def waiting(self) -> int:
        """How many enqueued jobs have not ended, as far as their workers have said."""
        return len(self.jobs) - len(self.ended)

    def enqueue(self, job: PlannedJob) -> None:
        self.jobs[job.name] = job
        self.lines += self.fleet.enqueue(job.name, job.tenant, job.work)
        if job.twice:
            self.lines += self.fleet.send_again(job.name, job.tenant)

    def note(self, event: dict[str, Any]) -> None:
        """Take in what a worker logged."""
        kind = event["event"]
        if kind == "message.received":
            self._fruitless = 0
        # Who ended a job may have been killed before it could say so; who finds it ended says it then.
        ended = kind == "finish.accepted" and event.get("operation") != "release"
        if ended or (kind == "prepare.refused" and event.get("reason") == "ended"):
            self.ended.add(str(event.get("job_id")))

    def look(self) -> None:
        """Take in what the rows show: whoever ended a job may have been killed before it said so."""
        self.ended = set(self.jobs) - set(self.unfinished())

    def kill(self, worker: Worker, moment: str) -> None:
        worker.kill()
        self.say(
            "worker.killed",
            f"Worker {worker.name} killed (kill -9) {moment}",
            killed=worker.name,
            moment=moment,
        )
        self._bury(worker)

    def tend(self) -> None:
        """Replace those that are gone.  Raises ``FleetError`` when that has become hopeless."""
        for worker in [worker for worker in self.workers if not worker.alive]:
            self._bury(worker)
            if not worker.asked:
                self._ended_unasked(worker)
        due = [at for at in self._start_at if at <= time.monotonic()]
        for at in due:
            self._start_at.remove(at)
            self.start()

    def _ended_unasked(self, worker: Worker) -> None:
        self.unasked_exits.append(f"{worker.name} ended with exit code {worker.exit_code}")
        self._fruitless = 0 if self.excused else self._fruitless + 1
        if self._fruitless >= FRUITLESS:
            command = shlex.join(self.fleet.command(worker.name))
            raise FleetError(
                f"{FRUITLESS} workers of {self.fleet.name} in a row ended by themselves and received "
                f"nothing, the last with exit code {worker.exit_code}: see what they wrote to "
                f"standard error, and whether this starts a worker: {command}"
            )

    def _bury(self, worker: Worker) -> None:
        worker.read_rest()
        self.workers.remove(worker)
        self.gone.append(worker)
        worker.close()
        self._start_at.append(time.monotonic() + RESTART_SECONDS)

    # -- the end ----------------------------------------------------------------------------

    def is_quiet(self, operator: Operator) -> bool:
        """Every job has ended and no message is left."""
        return not self.unfinished() and not any(operator.depth(queue) for queue in self.fleet.queues)

    def unfinished(self) -> list[str]:
        terminal = self.fleet.lifecycle.terminal
        return [row.job for row in self.fleet.observe(list(self.jobs)) if row.status not in terminal]

    def redrive(self, operator: Operator) -> None:
        """Bring back what lies in the DLQ, once the queue itself is empty."""
        queue, dead = self.fleet.queues
        if operator.depth(queue):
            return
        for body in operator.take(dead):
            self.say(
                "message.dead_lettered", f"message {body.message} lies in {dead}", message_id=body.message
            )
            renewed = operator.redrive(body, dead, queue)
            self.say(
                "message.redriven",
                f"redrove message {body.message} as {renewed}",
                message_id=body.message,
                renewed=renewed,
            )

    def read_rows(self) -> None:
        """Log what the database shows of all jobs, to be compared with what was answered."""
        rows = [
            {
                "job_id": row.job,
                "tenant_id": row.tenant,
                "status": row.status,
                "attempt": row.attempt,
                "lease_expires_at": row.lease_expires_at and row.lease_expires_at.isoformat(),
                "results": row.results,
            }
            for row in self.fleet.observe(list(self.jobs))
        ]
        self.say("rows.read", f"read {len(rows)} rows", rows=rows)

    def stop(self) -> None:
        """Stop all workers politely, and those that do not hear it otherwise."""
        for worker in self.workers:
            if worker.frozen:
                worker.thaw()
            with suppress(FleetError):
                worker.stop(Stop.TERM)
        for worker in self.workers:
            if not worker.wait(END_SECONDS):
                with suppress(FleetError):
                    worker.kill()
            worker.read_rest()
            worker.close()

    def logs(self) -> list[tuple[str, Sequence[str]]]:
        """What the operator and each process logged, each in its own order, by name."""
        operator = (f"{self.fleet.name}-operator", self.lines)
        return [operator, *((worker.name, worker.lines) for worker in (*self.gone, *self.workers))]

    def events(self) -> Iterator[dict[str, Any]]:
        """All that was logged, read, in no order beyond each process's own."""
        return (event for _, lines in self.logs() for event in map(read, lines) if event)


def turn(crews: Collection[Crew]) -> Iterator[tuple[Crew, Worker, dict[str, Any]]]:
    """What all workers log within a moment, an event at a time; then the dead are replaced.

    The events of a worker that is frozen or killed in between are taken in, and not given out.
    """
    owner = {worker: crew for crew in crews for worker in crew.workers}
    for worker in ready([worker for worker in owner if not worker.frozen], TICK_SECONDS):
        for event in worker.read():
            if worker.alive and not worker.frozen:
                yield owner[worker], worker, event
    for crew in crews:
        crew.tend()


class JudgedFleet(NamedTuple):
    """One fleet's log: what came of it, by which binding's lifecycle, and the files that it is in."""

    name: str
    binding: str
    judged: JudgedLog
    files: tuple[Path, ...]


def judge_crew(crew: Crew, folder: Path) -> JudgedFleet:
    """Write the logs of ``crew`` into ``folder``, a file for each process, and judge them together."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, lines in crew.logs():
        file = folder / f"{name}.log"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        files.append(file)
    reader = Reader()
    judged = judge_lines(crew.fleet.lifecycle, reader.lines([str(file) for file in files]))
    return JudgedFleet(crew.fleet.name, crew.fleet.binding, judged, tuple(files))
