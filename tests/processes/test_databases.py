"""The database of a run: its own, looked at from outside, gone afterwards; and every refusal."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from models_under_test.database_url import database as settings_for
from statemachine.processes.databases import private_database
from statemachine.world.databases.postgresql import SERVER_VARIABLE, named_server
from statemachine.world.databases.safety import Refused
from tests.support.postgresql import names

UNREACHABLE = "postgresql://someone:s3cr3t-w0rd@127.0.0.1:1/postgres"

HOLDS_A_TRANSACTION = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("SELECT * FROM sqlite_master").fetchall()
print("open", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
print("over", flush=True)
sys.stdin.readline()
"""
"""Another process, which begins a transaction, and ends it on command."""


def test_a_sqlite_file_is_made_in_the_runs_own_directory_in_wal_mode(tmp_path: Path) -> None:
    with private_database(tmp_path) as database:
        file = Path(database.name)
        assert file.parent == tmp_path
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.url == f"sqlite://{file}"
    # The stage's temporary directory takes the file with it: nothing may hold it open.
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)


@pytest.mark.parametrize("directory", ["a b", "50%25", "why?", "#1", "작업"])
def test_the_url_leads_to_the_file_whatever_its_directory_is_called(directory: str, tmp_path: Path) -> None:
    place = tmp_path / directory
    place.mkdir()
    with private_database(place) as database:
        assert settings_for(database.url)["NAME"] == database.name


@pytest.mark.parametrize(
    ("begin", "may_write"),
    [("BEGIN IMMEDIATE", True), ("BEGIN EXCLUSIVE", True), ("BEGIN", False)],
)
def test_a_transaction_of_another_process_is_seen_while_it_may_write(
    begin: str, may_write: bool, tmp_path: Path
) -> None:
    with private_database(tmp_path) as database:
        assert not database.in_transaction()
        command = [sys.executable, "-c", HOLDS_A_TRANSACTION, database.name, begin]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **pipes) as other:
            assert other.stdout is not None
            assert other.stdin is not None
            other.stdout.readline()
            assert [database.in_transaction() for _ in range(3)] == [may_write] * 3
            other.stdin.write("end it\n")
            other.stdin.flush()
            other.stdout.readline()
            assert not database.in_transaction()


def test_looking_leaves_no_transaction_behind(tmp_path: Path) -> None:
    with private_database(tmp_path) as database:
        database.in_transaction()
        with closing(sqlite3.connect(database.name, timeout=0)) as connection, connection:
            connection.execute("CREATE TABLE written (at once)")


def test_a_postgresql_database_is_made_under_a_random_name_and_dropped(postgresql_server: str) -> None:
    before = names(postgresql_server)
    with (
        private_database(Path(), postgresql_server) as first,
        private_database(Path(), postgresql_server) as second,
    ):
        assert names(postgresql_server) - before == {first.name, second.name}
        assert re.fullmatch(r"statemachine_[0-9a-f]{12}", first.name)
        assert settings_for(first.url)["NAME"] == first.name
        assert first.description == f"PostgreSQL database {first.name} on a unix socket"
    assert names(postgresql_server) == before


def test_a_postgresql_database_is_dropped_after_an_error_and_under_open_connections(
    postgresql_server: str,
) -> None:
    before = names(postgresql_server)

    def fail() -> None:
        with private_database(Path(), postgresql_server) as database, psycopg.connect(database.url):
            assert names(postgresql_server) - before == {database.name}
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert names(postgresql_server) == before


def test_a_postgresql_transaction_is_seen_while_it_is_open(postgresql_server: str) -> None:
    with private_database(Path(), postgresql_server) as database, psycopg.connect(database.url) as other:
        assert not database.in_transaction()
        other.execute("CREATE TABLE uncommitted (id int)")
        assert [database.in_transaction() for _ in range(3)] == [True] * 3
        other.commit()
        assert not database.in_transaction()
        with psycopg.connect(postgresql_server) as elsewhere:
            elsewhere.execute("SELECT 1")
            assert not database.in_transaction(), "a transaction in another database is not ours"


@pytest.mark.parametrize(
    "server", ["mysql://root@localhost/x", "sqlite:///tmp/x", "localhost:5432", "", "://"]
)
def test_a_server_of_another_kind_is_refused_by_name(server: str) -> None:
    with pytest.raises(Refused) as raised, private_database(Path(), server):
        pass
    told = str(raised.value)
    assert told.startswith(
        f"--database-server names a {server.partition('://')[0] if '://' in server else 'nameless'}"
    )
    assert "postgresql://USER@HOST:PORT/postgres" in told


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(Refused) as raised, private_database(Path(), UNREACHABLE):
        pass
    told = str(raised.value)
    assert told.startswith("the PostgreSQL server at 127.0.0.1:1 cannot be used (")
    assert "s3cr3t" not in told
    assert "\n" not in told


@pytest.mark.parametrize("password", ["s3/cr3t", "s3:cr3t/x", "s3[cr3t"])
def test_a_password_that_breaks_the_url_is_not_repeated(password: str) -> None:
    with pytest.raises(Refused) as raised, private_database(Path(), f"postgresql://me:{password}@host/x"):
        pass
    assert "cr3t" not in str(raised.value)
    assert "--database-server cannot be read" in str(raised.value)


def test_a_user_who_may_make_no_database_is_named_in_the_error(postgresql_server: str) -> None:
    with psycopg.connect(postgresql_server, autocommit=True) as owner:
        owner.execute("CREATE ROLE guest LOGIN")
    guest = postgresql_server.replace("owner@", "guest@")
    try:
        with pytest.raises(Refused, match=r"makes no database \(permission denied to create database\)"):
            private_database(Path(), guest).__enter__()
    finally:
        with psycopg.connect(postgresql_server, autocommit=True) as owner:
            owner.execute("DROP ROLE guest")


def test_without_psycopg_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refused, match=re.escape("pip install '.[postgres]'")):
        private_database(Path(), UNREACHABLE).__enter__()


def test_only_the_option_and_our_own_variable_name_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SERVER_VARIABLE == "STATEMACHINE_DATABASE_URL"
    monkeypatch.setenv("DATABASE_URL", "postgresql://production/live")
    monkeypatch.setenv("JOBS_DATABASE_URL", "postgresql://production/live")
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    assert named_server(None) is None
    monkeypatch.setenv(SERVER_VARIABLE, "postgresql://ours/postgres")
    assert named_server(None) == "postgresql://ours/postgres"
    assert named_server("postgresql://option/postgres") == "postgresql://option/postgres"
    monkeypatch.setenv(SERVER_VARIABLE, "")
    assert named_server(None) is None


def test_the_name_alone_is_replaced_in_the_servers_url(postgresql_server: str) -> None:
    with private_database(Path(), postgresql_server) as database:
        ours, theirs = urlsplit(database.url), urlsplit(postgresql_server)
        assert ours._replace(path="") == theirs._replace(path="")
