"""One moto server for the folder, emptied for each test; one migrated database, copied for each."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from models_under_test.pipelines import PIPELINES
from tests.system.worker.fleet import JOBS, TENANT, Fleet, ended

StartMoto = Callable[[int], AbstractContextManager[int]]


@pytest.fixture(scope="session")
def start_moto() -> StartMoto:
    """``with start_moto(port) as port:`` serves SQS on the loopback, on a free port if it is 0."""

    @contextmanager
    def start(port: int) -> Iterator[int]:
        command = [sys.executable, str(Path(__file__).with_name("moto_server.py")), str(port)]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()
            server.communicate()

    return start


@pytest.fixture(scope="session")
def endpoint(start_moto: StartMoto) -> Iterator[str]:
    with start_moto(0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def prepared(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with a job in each pipeline, made by the commands; tests take copies."""
    fleet = Fleet(endpoint, tmp_path_factory.mktemp("prepared"))
    done = [ended(process) for process in (fleet.start("migrate"), fleet.start("create-queues"))]
    started = [
        fleet.start("enqueue", "--queue", name, "--job", job, "--tenant", TENANT)
        for name, job in JOBS.items()
    ]
    done += map(ended, started)
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * len(done)
    assert sorted(line["job_id"] for line in fleet.lines("job.created")) == sorted(JOBS.values())
    assert sorted(line["job_id"] for line in fleet.lines("message.sent")) == sorted(JOBS.values())
    assert [fleet.in_queue(PIPELINES[name].default_queue) for name in JOBS] == [1] * len(JOBS)
    return fleet.database


@pytest.fixture
def fleet(endpoint: str, prepared: Path, tmp_path: Path) -> Iterator[Fleet]:
    """Empty queues, a PENDING job in each pipeline, and no worker yet.

    Whatever a test does, every line that its processes log must be one of docs/logs.md.
    """
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    fleet = Fleet(endpoint, tmp_path)
    shutil.copy(prepared, fleet.database)
    fleet.make_queues()
    yield fleet
    fleet.close()
    assert fleet.unreadable_lines() == {}
