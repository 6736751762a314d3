"""A database of a run's own: on which server, under which name, gone afterwards, and nothing else touched.

What refuses a bad URL is tried in tests/processes/test_databases.py, on the same code.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db.utils import ConnectionHandler
from psycopg.conninfo import conninfo_to_dict

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.processes import stage
from statemachine.world.databases import postgresql as module
from statemachine.world.databases.aliases import in_place_of_the_default
from statemachine.world.databases.postgresql import PostgreSQLDatabase, database
from statemachine.world.databases.private_server import private_server
from statemachine.world.databases.safety import Refused
from statemachine.world.transactions.lane import open_on
from tests.support.postgresql import names, rows
from tests.support.waiting import until


@pytest.fixture
def precious(postgresql_server: str) -> Iterator[str]:
    """Somebody's database on the server that is named, called as if it were a run's."""
    name = "statemachine_precious"
    with psycopg.connect(postgresql_server, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name}")
        try:
            yield postgresql_server.replace("/postgres?", f"/{name}?")
        finally:
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_names_are_random_and_each_database_is_empty_and_dropped(postgresql_server: str) -> None:
    before = names(postgresql_server)
    made = []
    for _ in range(2):
        with database(postgresql_server) as ours:
            made.append(ours.name)
            assert names(postgresql_server) - before == {ours.name}
            assert rows(ours.url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
            with psycopg.connect(ours.url) as connection:
                connection.execute("CREATE TABLE left_behind ()")
    assert names(postgresql_server) == before
    assert len(set(made)) == 2
    assert all(re.fullmatch("statemachine_[0-9a-f]{12}", name) for name in made)


@pytest.mark.parametrize("error", [RuntimeError, Refused, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_it_is_dropped_after_any_error_even_with_transactions_open(
    error: type[BaseException], postgresql_server: str
) -> None:
    before = names(postgresql_server)

    def fail() -> None:
        with database(postgresql_server) as ours, closing(psycopg.connect(ours.url)) as open_one:
            open_one.execute("CREATE TABLE uncommitted ()")
            assert names(postgresql_server) - before == {ours.name}
            raise error("the first")

    with pytest.raises(error, match="the first") as raised:
        fail()
    assert names(postgresql_server) == before
    assert not hasattr(raised.value, "__notes__")


def test_nothing_of_an_earlier_database_is_touched_or_even_opened(
    precious: str, postgresql_server: str
) -> None:
    with psycopg.connect(precious) as owner:
        owner.execute("CREATE TABLE job AS SELECT generate_series(1, 100) AS id")

    def seen() -> tuple[list[tuple[Any, ...]], ...]:
        return (
            rows(postgresql_server, "SELECT * FROM pg_database ORDER BY oid"),
            rows(postgresql_server, "SELECT * FROM pg_roles ORDER BY oid"),
            rows(precious, "SELECT xmin::text, ctid::text, id FROM job ORDER BY id"),
        )

    def opened() -> int:
        """How often a client did; the server says so when the connection is closed."""
        query = "SELECT sessions FROM pg_stat_database WHERE datname = 'statemachine_precious'"
        return int(rows(postgresql_server, query)[0][0])

    before = seen()
    # The test itself: once to make the table, once to look.
    until(lambda: opened() == 2)
    with database(postgresql_server) as ours:
        rows(ours.url, "SELECT 1")
    with pytest.raises(ZeroDivisionError), database(postgresql_server):
        raise ZeroDivisionError
    time.sleep(0.5)
    assert opened() == 2
    assert seen() == before
    until(lambda: opened() == 3)


@pytest.mark.parametrize(
    "more", ["&dbname=statemachine_precious", "&dbname=", "#x?dbname=statemachine_precious"]
)
def test_a_url_that_leads_to_a_second_database_is_refused(
    more: str, precious: str, postgresql_server: str
) -> None:
    """libpq takes the last name, and for a blank one that of the user: all would have been written there."""
    before = names(postgresql_server)
    plain, _, query = postgresql_server.partition("?")
    url = f"{plain}{more}&{query}" if more.startswith("#") else f"{postgresql_server}{more}"
    if more != "&dbname=":
        assert rows(url, "SELECT current_database()") == [("statemachine_precious",)]
    with pytest.raises(Refused, match="--database-server has"):
        database(url).__enter__()
    assert names(postgresql_server) == before


def test_the_environment_leads_to_no_other_server_or_database(
    precious: str, postgresql_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = conninfo_to_dict(precious)
    service = tmp_path / "services"
    service.write_text("[prod]\n" + "".join(f"{name}={value}\n" for name, value in where.items()))
    surroundings = {
        "PGDATABASE": "statemachine_precious",
        "PGHOSTADDR": "192.0.2.1",
        "PGOPTIONS": "-c search_path=elsewhere",
        "PGSERVICE": "prod",
        "PGSERVICEFILE": str(service),
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    for named in (None, postgresql_server, postgresql_server.replace("/postgres?", "?")):
        with database(named) as ours:
            asked = rows(ours.url, "SELECT current_database(), current_setting('search_path')")
            assert asked == [(ours.name, '"$user", public')]


def test_a_connection_that_reached_another_database_writes_nothing(
    precious: str, postgresql_server: str, django_db_blocker: Any
) -> None:
    """Django lets ``OPTIONS`` have the last word, as a pooler has it on the way."""
    with database(postgresql_server) as ours, django_db_blocker.unblock():
        settings = ours.django_settings()
        settings["OPTIONS"]["dbname"] = "statemachine_precious"
        words = f"the run's own database {ours.name} reached the database statemachine_precious"
        with pytest.raises(Refused, match=words), open_on(settings, load(DEFAULT_BINDING), DEFAULT_BINDING):
            pytest.fail("it was opened")
        # Of real processes the settings are the project's own.
        wrapper = ConnectionHandler({"default": settings})["default"]
        with in_place_of_the_default(wrapper), pytest.raises(Refused, match=words):
            stage._check_databases(load(DEFAULT_BINDING), ours)
        wrapper.close()
    assert rows(precious, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_server_that_cannot_drop_under_open_connections_is_refused_before_anything_is_made() -> None:
    module._check_version(130_000, "db:5432")
    with pytest.raises(Refused, match=r"the PostgreSQL server at db:5432 is version 12\.22"):
        module._check_version(120_022, "db:5432")


def test_the_description_names_version_place_and_database(postgresql_server: str) -> None:
    version = r"PostgreSQL \d+\.\d+"
    with database(None) as ours:
        told = f"{version}, private server made for this run, database {ours.name}"
        assert re.fullmatch(told, ours.description)
    with database(postgresql_server) as ours:
        assert re.fullmatch(
            f"{version} at a unix socket, database {ours.name}, made for this run", ours.description
        )


def test_django_connects_with_the_settings_and_to_this_database(
    postgresql_server: str, django_db_blocker: Any
) -> None:
    with database(None) as ours, django_db_blocker.unblock():
        settings = ours.django_settings()
        assert settings["ENGINE"] == "django.db.backends.postgresql"
        connections = ConnectionHandler({"default": settings})
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT current_database(), current_user")
            assert cursor.fetchone() == (ours.name, "owner")
        assert not ours.in_transaction()
        connections["default"].set_autocommit(False)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        assert ours.in_transaction()
        connections["default"].rollback()
        connections.close_all()


def test_the_settings_hold_what_the_url_holds_and_the_repr_no_password() -> None:
    url = "postgresql://me:s3%2Fcr3t@db.example:5433/jobs?sslmode=require&application_name=x"
    made = PostgreSQLDatabase(url, "jobs", "somewhere", None)
    assert made.django_settings() == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "jobs",
        "USER": "me",
        "PASSWORD": "s3/cr3t",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require", "application_name": "x"},
    }
    assert "cr3t" not in repr(made)


@pytest.mark.parametrize("bug", [False, True], ids=["nothing else", "an error before"])
def test_a_database_that_cannot_be_dropped_is_named(bug: bool, here: Path) -> None:
    """The server that was named dies meanwhile."""

    def lose_the_server() -> None:
        with private_server() as server, database(server.url):
            os.kill(server.pid, signal.SIGKILL)
            if bug:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError if bug else Refused) as raised:
        lose_the_server()
    told = str(raised.value.__notes__[0] if bug else raised.value)
    assert re.match(
        r"database statemachine_\w{12} on the PostgreSQL server at its socket:5432 was not dropped \(", told
    )
    assert "\n" not in told
