"""One fleet at work: its processes, its jobs, all that was logged about them, and the verdict on that.

A worker that ends, killed or by itself, is replaced after :data:`RESTART_SECONDS`, as a supervisor does.
Which jobs have ended is known from the logs first and from the rows for certain: a worker may commit and
be killed before it logs the answer.
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
"""How long one turn waits for a line; the dead are replaced between turns."""
FRUITLESS = 5
"""Workers that may end by themselves in a row without receiving a message; the next would end as well."""


class Crew:
    """The workers of one fleet and the jobs that they were given; the first :func:`turn` starts them."""

    def __init__(self, fleet: Fleet, size: int) -> None:
        self.fleet = fleet
        self.size = size
        self.workers: list[Worker] = []
        """Those that run."""
        self.gone: list[Worker] = []
        """Those that have ended, kept for what they logged."""
        self.jobs: dict[str, PlannedJob] = {}
        """The enqueued jobs, by name."""
        self.ended: set[str] = set()
        """Jobs that are known to have ended."""
        self.lines: list[str] = []
        """What the operator has logged."""
        self.unasked_exits: list[str] = []
        """Workers that ended by themselves, with their exit codes."""
        self.excused = False
        """Workers may end by themselves now, because their queue is down."""
        self._fruitless = 0
        self._start_at = [0.0] * size

    def start(self) -> None:
        """Start one more worker, under a new name: in a log, a name that starts again is a restart."""
        """Start one more worker, under a new name: in a log, a name that starts again is a restart."""
        number = len(self.workers) + len(self.gone) + 1
        self.workers.append(Worker(self.fleet, f"{self.fleet.name}-{number}", self.note))

    def log(self, event: str, text: str, **fields: object) -> None:
        """Log a line of the operator."""
        """Log a line of the operator."""
        self.lines.append(line(event, text, **fields))

    @property
    def waiting(self) -> int:
        """How many enqueued jobs have not ended, as far as their workers have logged."""
        return len(self.jobs) - len(self.ended)

    def enqueue(self, job: PlannedJob) -> None:
        """Create the job and send its message, twice if it is planned so."""
        """Create the job and send its message, twice if it is planned so."""
        self.jobs[job.name] = job
        self.lines += self.fleet.enqueue(job.name, job.tenant, job.work)
        if job.twice:
            self.lines += self.fleet.send_again(job.name, job.tenant)

    def note(self, event: dict[str, Any]) -> None:
        """Take in what a worker logged."""
        kind = event["event"]
        if kind == "message.received":
            self._fruitless = 0
        # A worker killed between commit and log line ends a job silently; then the next delivery is refused.
        ended = kind == "finish.accepted" and event.get("operation") != "release"
        if ended or (kind == "prepare.refused" and event.get("reason") == "ended"):
            self.ended.add(str(event.get("job_id")))

    def look(self) -> None:
        """Take in which jobs have ended by their rows, since a killed worker may not have logged it."""
        self.ended = set(self.jobs) - set(self.unfinished())

    def kill(self, worker: Worker, moment: str) -> None:
        """Kill a worker, frozen or not, and log it as the operator: no process can log its own SIGKILL."""
        """Kill a worker, frozen or not, and log it as the operator: no process can log its own SIGKILL."""
        worker.kill()
        self.log(
            "worker.killed",
            f"Worker {worker.name} killed (kill -9) {moment}",
            killed=worker.name,
            moment=moment,
        )
        self._bury(worker)

    def tend(self) -> None:
        """Replace the workers that have ended.  Raises ``FleetError`` after :data:`FRUITLESS` in vain."""
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
        # What it logged before it died is still in its pipe, and is lost with it.
        # What it logged before it died is still in its pipe, and is lost with it.
        worker.read_rest()
        self.workers.remove(worker)
        self.gone.append(worker)
        worker.close()
        self._start_at.append(time.monotonic() + RESTART_SECONDS)

    # -- the end ----------------------------------------------------------------------------

    def is_quiet(self, operator: Operator) -> bool:
        """Whether every job has ended and no message is left in queue and DLQ."""
        return not self.unfinished() and not any(operator.depth(queue) for queue in self.fleet.queues)

    def unfinished(self) -> list[str]:
        """Return the jobs that have not ended, by their rows."""
        """Return the jobs that have not ended, by their rows."""
        terminal = self.fleet.lifecycle.terminal
        return [row.job for row in self.fleet.observe(list(self.jobs)) if row.status not in terminal]

    def redrive(self, operator: Operator) -> None:
        """Move what lies in the DLQ back, once the queue itself is empty.

        While it is not, a killed worker's message may still come round without help.
        """
        queue, dead = self.fleet.queues
        if operator.depth(queue):
            return
        for body in operator.take(dead):
            self.log(
                "message.dead_lettered", f"message {body.message} lies in {dead}", message_id=body.message
            )
            renewed = operator.redrive(body, dead, queue)
            self.log(
                "message.redriven",
                f"redrove message {body.message} as {renewed}",
                message_id=body.message,
                renewed=renewed,
            )

    def read_rows(self) -> None:
        """Log the rows of all jobs (``rows.read``), to be compared with what the workers were answered."""
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
        self.log("rows.read", f"read {len(rows)} rows", rows=rows)

    def stop(self) -> None:
        """Stop all workers: by SIGTERM, and after :data:`END_SECONDS` by a kill."""
        for worker in self.workers:
            # A frozen process does not handle SIGTERM before it is thawed.
            # A frozen process does not handle SIGTERM before it is thawed.
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
        """Return name and lines of the operator's log and of each process's, each in its own order."""
        operator = (f"{self.fleet.name}-operator", self.lines)
        return [operator, *((worker.name, worker.lines) for worker in (*self.gone, *self.workers))]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield all events that were logged; only those of one process are in the order of their times."""
        return (event for _, lines in self.logs() for event in map(read, lines) if event)


def turn(crews: Collection[Crew]) -> Iterator[tuple[Crew, Worker, dict[str, Any]]]:
    """Yield what all workers log within :data:`TICK_SECONDS`, event by event; then replace the dead.

    The caller may freeze or kill a worker between two events: those that follow are taken in, not yielded,
    because the worker no longer stands where they say.
    """
    owner = {worker: crew for crew in crews for worker in crew.workers}
    for worker in ready([worker for worker in owner if not worker.frozen], TICK_SECONDS):
        for event in worker.read():
            if worker.alive and not worker.frozen:
                yield owner[worker], worker, event
    for crew in crews:
        crew.tend()


class JudgedFleet(NamedTuple):
    """The judged log of one fleet."""

    name: str
    binding: str
    """Dotted path of the binding whose lifecycle judges it."""
    judged: JudgedLog
    files: tuple[Path, ...]


def judge_crew(crew: Crew, folder: Path) -> JudgedFleet:
    """Write the logs of ``crew`` into ``folder``, a file for each process, and judge them together.

    Through files, as ``check-log`` does, so that the same logs give the same verdict later.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, lines in crew.logs():
        file = folder / f"{name}.log"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        files.append(file)
    reader = Reader()
    judged = judge_lines(crew.fleet.lifecycle, reader.lines([str(file) for file in files]))
    return JudgedFleet(crew.fleet.name, crew.fleet.binding, judged, tuple(files))
