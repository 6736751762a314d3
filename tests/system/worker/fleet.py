"""A fleet for tests: one SQLite file, moto's queues, and real processes that can be killed.

Lease and visibility are scaled to seconds, with the same margin rule (lease = visibility - 1 s).  A
process does not share the tests' time, so what a test waits for it waits for in a log.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

from models_under_test.configuration import read
from models_under_test.pipelines import PIPELINES
from models_under_test.sqs import Clients, connect, create_queues
from models_under_test.variables import SQS
from statemachine.logs.reading import Reader
from tests.support.commandline import REPO

SECRET = "a-key-that-no-log-may-hold"
PATIENCE_SECONDS = 20.0
"""How long anything may take before a test gives up; none should come near."""

Line = dict[str, Any]

JOBS: Mapping[str, str] = {name: f"j-{name}" for name in PIPELINES}
TENANT = "t1"
TABLES = {"ai": "ai_job", "video": "video", "messaging": "notification"}
RESULTS = {"ai": "ai_result", "video": "video_rendition", "messaging": "notification_log"}


def environment(endpoint: str, **more: str) -> dict[str, str]:
    """A worker's whole environment: of the machine's own only what starts a Python."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "JOBS_SQS_ENDPOINT_URL": endpoint,
        "JOBS_SQS_REGION": "us-east-1",
        "JOBS_SQS_ACCESS_KEY_ID": "explicit-key-id",
        "JOBS_SQS_SECRET_ACCESS_KEY": SECRET,
        "JOBS_VISIBILITY_SECONDS": "2",
        "JOBS_LEASE_MARGIN_SECONDS": "1",
        "JOBS_POLL_SECONDS": "1",
        "JOBS_EXTEND_EVERY_SECONDS": "0",
        **more,
    }


class Fleet:
    """``log`` is the file to which every process of it writes."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "jobs.sqlite3"
        self.log = folder / "log.ndjson"
        self.environment = environment(
            endpoint, JOBS_DATABASE_URL=f"sqlite://{self.database}", JOBS_LOG_FILE=str(self.log)
        )
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, module: str = "models_under_test", **more: str) -> subprocess.Popen[str]:
        """A process of ours, running; ``more`` are variables."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPO,
            env={**self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A process of ours, to its end."""
        return ended(self.start(*arguments, **more))

    def worker(self, queue: str = "ai", *options: str, **more: str) -> subprocess.Popen[str]:
        return self.start("worker", "--queue", queue, *options, **more)

    def send(self, name: str = "ai", *, tenant: str = TENANT, **request: Any) -> None:
        """Send the message of the pipeline's job, or, as ``tenant``, one that only looks like it."""
        if request:
            statement = f"UPDATE {TABLES[name]} SET request = ?"
            with closing(sqlite3.connect(self.database, timeout=PATIENCE_SECONDS)) as connection, connection:
                connection.execute(statement, [json.dumps(request)])
        self.send_raw(name, json.dumps({"job_id": JOBS[name], "tenant_id": tenant}))

    def lines(self, *events: str, **fields: Any) -> list[Line]:
        """The log's lines of these events (all, if none is named) that have these fields."""
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        return [
            line
            for line in lines
            if (not events or line["event"] in events)
            and all(line.get(name) == value for name, value in fields.items())
        ]

    def wait_for(self, *events: str, times: int = 1, **fields: Any) -> Line:
        """The newest line of that event, once there are ``times``."""
        waited_until(lambda: len(self.lines(*events, **fields)) >= times, f"{times} x {events} {fields}")
        return self.lines(*events, **fields)[-1]

    def unreadable_lines(self) -> dict[str, list[str]]:
        """Where the log has lines that ``check-log`` cannot read, by what is wrong with them.

        Processes that share a file are each in their own order only.
        """
        reader = Reader()
        for _ in reader.lines([str(self.log)] if self.log.exists() else []):
            pass
        return {wrong: places for wrong, places in reader.skipped.examples.items() if wrong != "backwards"}

    def row(self, name: str = "ai") -> tuple[str, int, int]:
        """Status, attempts and results of the pipeline's job."""
        statement = (
            f"SELECT status, attempt_count, (SELECT COUNT(*) FROM {RESULTS[name]}) FROM {TABLES[name]}"
        )
        [(status, attempts, results)] = self.rows(statement)
        return status, attempts, results

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=PATIENCE_SECONDS)) as connection:
            return connection.execute(statement).fetchall()

    def write(self, statement: str) -> None:
        with closing(sqlite3.connect(self.database, timeout=PATIENCE_SECONDS)) as connection, connection:
            connection.execute(statement)

    @cached_property
    def clients(self) -> Clients:
        return connect(read(self.environment, {SQS}))

    def move_to(self, endpoint: str) -> None:
        """Speak with another SQS from now on."""
        self.environment["JOBS_SQS_ENDPOINT_URL"] = endpoint
        self.__dict__.pop("clients", None)

    def make_queues(self) -> None:
        """The queue that each pipeline uses by default: all five would cost every test 0.2 s more."""
        names = [pipeline.default_queue for pipeline in PIPELINES.values()]
        create_queues(self.clients.calls, names, read(self.environment, {SQS}))

    def send_raw(self, name: str, body: str) -> None:
        url = self.clients.calls.get_queue_url(QueueName=PIPELINES[name].default_queue)["QueueUrl"]
        self.clients.calls.send_message(QueueUrl=url, MessageBody=body)

    def in_queue(self, queue: str) -> int:
        """How many messages it holds, hidden ones included."""
        calls = self.clients.calls
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = calls.get_queue_url(QueueName=queue)["QueueUrl"]
        found: Mapping[str, str] = calls.get_queue_attributes(QueueUrl=url, AttributeNames=names)[
            "Attributes"
        ]
        return sum(map(int, found.values()))

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """What a process came to, once it has ended by itself."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def stopped(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> subprocess.CompletedProcess[str]:
    process.send_signal(number)
    return ended(process)


def waited_until(happened: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < until, f"waited {PATIENCE_SECONDS:g} s in vain for {what}"
        time.sleep(0.02)
