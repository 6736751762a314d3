"""Fleets whose workers are a few lines of Python, for what must be tried without a system under test."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from statemachine.binding import ObservedRow
from statemachine.binding.fleet import Stop, Work
from statemachine.lifecycle import Lifecycle
from statemachine.processes.workers import Worker
from tests.support.waiting import until

TICKS = """
import itertools, json, time
for number in itertools.count():
    print(json.dumps({"event": "tick", "number": number}), flush=True)
    time.sleep(0.001)
"""
"""Logs a line a millisecond, for ever."""

OBEDIENT = """
import json, os, signal, sys, time
def heard(number, frame):
    print(json.dumps({"event": "heard", "signal": signal.Signals(number).name}), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, heard)
signal.signal(signal.SIGINT, heard)
print(json.dumps({"event": "ready", "pid": os.getpid()}), flush=True)
time.sleep(60)
"""
"""Says that it is ready, and which signal it then ends of."""


def logging_at_once(*events: str, then: str = "import time; time.sleep(60)") -> str:
    """A program that writes the lines of all ``events`` by one call, and goes on with ``then``."""
    lines = "".join(f'{{"event": "{event}"}}\n' for event in events)
    return f"import os; os.write(1, {lines.encode()!r})\n{then}"


class ScriptedFleet:
    """``program`` is what each worker runs."""

    name = "scripted"
    binding = "none:None"
    lifecycle = Lifecycle()
    tenants: Sequence[str] = ("t1",)
    queues = ("queue", "queue-dlq")

    def __init__(self, program: str = OBEDIENT, stop_commands: Mapping[Stop, Sequence[str]] | None = None):
        self.program = program
        self.stop_commands = stop_commands or {}

    def command(self, worker: str) -> Sequence[str]:
        return (sys.executable, "-S", "-c", self.program)

    def environment(self, worker: str) -> Mapping[str, str]:
        return {"WORKER": worker}

    def create_queues(self) -> None: ...

    def enqueue(self, job: str, tenant: str, work: Work) -> Sequence[str]:
        return []

    def send_again(self, job: str, tenant: str) -> Sequence[str]:
        return []

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        return []


@contextmanager
def running(fleet: ScriptedFleet, name: str = "w-1") -> Iterator[Worker]:
    worker = Worker(fleet, name)
    try:
        yield worker
    finally:
        worker.close()


def logged(worker: Worker, event: str) -> dict[str, Any]:
    """The next line of that event."""
    found: dict[str, Any] = until(lambda: next((e for e in worker.read() if e["event"] == event), None))
    return found


def gone(pid: int) -> bool:
    """Whether no such process runs (one that has ended and was not waited for counts as gone)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
