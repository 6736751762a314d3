"""What needs a moment to start and is only read: a PostgreSQL server, an SQS server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from statemachine.processes.servers import SQSServer, sqs_server


@pytest.fixture(scope="session")
def sqs() -> Iterator[SQSServer]:
    with sqs_server() as server:
        yield server
