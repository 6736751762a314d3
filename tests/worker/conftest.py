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

from tests.worker.fleet import Fleet

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
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database; whoever wants to write to it takes a copy."""
    fleet = Fleet("http://127.0.0.1:9", tmp_path_factory.mktemp("migrated"))
    done = fleet.run("migrate")
    assert (done.returncode, done.stderr) == (0, "")
    return fleet.database


@pytest.fixture
def fleet(endpoint: str, migrated: Path, tmp_path: Path) -> Iterator[Fleet]:
    """Queues and tables, and no worker yet."""
    from models_under_test.configuration import SQS, read
    from models_under_test.pipelines import PIPELINES
    from models_under_test.sqs import create_queues

    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    fleet = Fleet(endpoint, tmp_path)
    shutil.copy(migrated, fleet.database)
    names = [name for pipeline in PIPELINES.values() for name in pipeline.queues]
    create_queues(fleet.clients().calls, names, read(fleet.environment, {SQS}))
    yield fleet
    fleet.close()
