"""Time and memory that ``check-log`` needs for a long log, which is generated here.

    python benchmarks/check_log.py [--events 1000000] [--workers 8] [--keep FILE]

The generated log breaks no claim.  Of every 20 jobs one has its worker killed while it is RUNNING and is
taken over, of every 50 one loses an answer, of every 25 one is delivered twice, so that calls overlap.  The
log is judged in a process of its own: the time is that of the whole command, the memory the peak of that
process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2030, 10, 27, tzinfo=UTC)
LEASE, VISIBILITY = 3540, 3600
STEP = 0.0005


def moment(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def of_job(number: int, workers: int, at: float) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield the log lines of one job, each with its time in seconds after START."""
    job, message = {"job_id": f"job-{number}", "tenant_id": f"t{number % 7}"}, f"message-{number}"
    worker = f"ai-{number % workers}"

    def line(late: float, event: str, by: str = worker, **fields: Any) -> tuple[float, dict[str, Any]]:
        then = at + late
        return then, {"at": moment(then), "event": event, "worker": by, **fields, "text": event}

    def received(late: float, by: str) -> tuple[float, dict[str, Any]]:
        until = moment(at + late + VISIBILITY)
        named = {"message_id": message, "receipt": f"{number:08x}{by[-1]}", "receive_count": 1}
        return line(late, "message.received", by, **named, visible_until=until, **job)

    def attempt(late: float, by: str, number: int) -> Iterator[tuple[float, dict[str, Any]]]:
        yield received(late, by)
        yield line(late + STEP, "prepare.called", by, **job, message_id=message)
        until = moment(at + late + 2 * STEP + LEASE)
        granted = {"attempt": number, "lease_expires_at": until}
        yield line(late + 3 * STEP, "prepare.accepted", by, **job, **granted)

    yield line(0, "job.created", "application", **job)
    yield line(STEP, "message.sent", "application", message_id=message, **job)
    yield from attempt(1, worker, 1)
    late, holder = 1.0, 1
    if number % 20 == 0:
        worker, late, holder = f"spare-{number % workers}", 1.0 + VISIBILITY, 2
        yield from attempt(late, worker, 2)
    elif number % 25 == 1:
        other = f"dup-{number % workers}"
        yield received(late + STEP, other)
        yield line(late + 2 * STEP, "prepare.called", other, **job, message_id=message)
        yield line(late + 4 * STEP, "prepare.refused", other, **job, reason="lease live")
    call = {"operation": "complete", **job, "attempt": holder}
    yield line(late + 0.1, "finish.called", worker, **call, result="x")
    if number % 50 == 3:
        yield line(late + 0.2, "call.raised", worker, operation="complete", **job, error="OperationalError")
        yield line(late + 0.3, "finish.called", worker, **call, result="x")
    yield line(late + 0.4, "finish.accepted", worker, **call, status="DONE")
    deleted = {"message_id": message, "receipt": f"{number:08x}{worker[-1]}"}
    yield line(late + 0.5, "delete.called", worker, **deleted, **job, why="job ended")
    yield line(late + 0.6, "message.deleted", worker, **deleted)


def write(path: str, events: int, workers: int) -> int:
    """Write a log of at least ``events`` lines, ordered by time; return its number of jobs."""
    import heapq

    waiting: list[tuple[float, int, dict[str, Any]]] = []
    written = jobs = 0
    with open(path, "w", encoding="utf-8") as file:
        while written + len(waiting) < events or waiting:
            if written + len(waiting) < events:
                for at, values in of_job(jobs, workers, jobs * 0.8):
                    heapq.heappush(waiting, (at, len(waiting) + jobs * 20, values))
                jobs += 1
            now = jobs * 0.8 if written + len(waiting) < events else float("inf")
            while waiting and waiting[0][0] < now:
                file.write(f"{json.dumps(heapq.heappop(waiting)[2])}\n")
                written += 1
    return jobs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="lines of the log (default: 1000000)")
    parser.add_argument("--workers", type=int, default=8, help="workers in the log (default: 8)")
    parser.add_argument("--keep", metavar="FILE", help="write the log to this file and keep it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.keep or os.path.join(folder, "fleet.log")
        jobs = write(path, asked.events, asked.workers)
        size = os.path.getsize(path) / 1e6
        print(f"{asked.events} lines, {jobs} jobs, {size:.0f} MB")
        began = time.perf_counter()
        command = [sys.executable, "-m", "statemachine", "check-log", path]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(ran.stdout[-2000:], ran.stderr, sep="")
    print(f"{seconds:.0f} s, {asked.events / seconds:,.0f} lines/s, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
