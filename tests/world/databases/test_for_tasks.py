"""Each task has a database of its own, which is gone when it is done, or when all is over."""

from __future__ import annotations

import psycopg
import pytest

from statemachine.world.databases.for_tasks import AT_REST, CONNECTIONS_OF_A_TASK, databases_for_tasks
from statemachine.world.databases.private_server import CONNECTIONS
from statemachine.world.databases.safety import Refused
from tests.support.postgresql import names, rows


def test_a_database_is_there_until_its_task_is_done(postgresql_server: str) -> None:
    before = names(postgresql_server)
    with databases_for_tasks(postgresql_server, 2) as databases:
        assert databases.version.startswith("PostgreSQL 1")
        assert names(postgresql_server) == before, "that on which the server was tried is gone"
        first, second = databases.make(1), databases.make(2)
        assert names(postgresql_server) - before == {first["NAME"], second["NAME"]}
        assert first["ENGINE"] == "django.db.backends.postgresql"
        databases.done(1)
        databases.done("a task without one")
        assert names(postgresql_server) - before == {second["NAME"]}
        third = databases.make(1)
        assert third["NAME"] != first["NAME"]
    assert names(postgresql_server) == before


def test_what_never_came_to_its_end_is_dropped_under_open_connections(postgresql_server: str) -> None:
    before = names(postgresql_server)
    with databases_for_tasks(postgresql_server, 1) as databases:
        name = databases.make("task")["NAME"]
        open_yet = psycopg.connect(postgresql_server.replace("/postgres?", f"/{name}?"))
    open_yet.close()
    assert names(postgresql_server) == before


def test_a_private_server_bears_all_tasks_at_once(postgresql_server: str) -> None:
    tasks = 12
    with databases_for_tasks(None, tasks) as databases:
        assert databases.url != postgresql_server
        ((most,),) = rows(databases.url, "SHOW max_connections")
        assert int(most) == AT_REST + CONNECTIONS_OF_A_TASK * tasks > CONNECTIONS


def test_a_server_that_cannot_be_used_is_reported_before_any_task_begins() -> None:
    with (
        pytest.raises(Refused, match=r"the PostgreSQL server at 127\.0\.0\.1:1 cannot be used"),
        databases_for_tasks("postgresql://me@127.0.0.1:1/postgres", 1),
    ):
        pytest.fail("it was used")
