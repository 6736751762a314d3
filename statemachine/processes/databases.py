"""The database of a run with real processes: a SQLite file, or a fresh database on a PostgreSQL server.

Either is made by the run under a name that did not exist before, and is gone afterwards.  The server is
only ever one that was named for this purpose; an ambient ``DATABASE_URL`` is never read.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from statemachine.safety import Refused

SERVER_VARIABLE = "STATEMACHINE_DATABASE_URL"


class Database(Protocol):
    """Made for one run.  ``url`` may hold a password; ``description`` does not."""

    url: str
    name: str
    description: str

    def in_transaction(self) -> bool:
        """Whether some worker has a transaction open that may write, right now."""


class SQLiteFile:
    """A file in write-ahead mode, where readers and the one writer do not wait for each other."""

    def __init__(self, file: Path) -> None:
        self.url = file.absolute().as_uri().replace("file://", "sqlite://", 1)
        self.name = str(file)
        self.description = "SQLite file in WAL mode, made for this run"
        with closing(sqlite3.connect(file)) as created:
            created.execute("PRAGMA journal_mode=WAL")
        self._looking = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)

    def in_transaction(self) -> bool:
        try:
            self._looking.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        self._looking.execute("ROLLBACK")
        return False

    def close(self) -> None:
        self._looking.close()


class PostgreSQLDatabase:
    """A database of its own on a server that was named, under a random name."""

    def __init__(self, admin: Any, server: str, name: str) -> None:
        self._admin = admin
        self.name = name
        self.url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        self.description = f"PostgreSQL database {name} on {urlsplit(server).hostname or 'a unix socket'}"

    def in_transaction(self) -> bool:
        found = self._admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND xact_start IS NOT NULL "
            "AND backend_type = 'client backend'",
            (self.name,),
        ).fetchone()
        return bool(found[0])


def named_server(option: str | None) -> str | None:
    """The server that ``--database-server`` or the environment names; None for a SQLite file."""
    return option or os.environ.get(SERVER_VARIABLE) or None


@contextmanager
def private_database(directory: Path, server: str | None = None) -> Iterator[Database]:
    """A database that did not exist before and does not afterwards.

    Raises :class:`~statemachine.safety.Refused` for a server that cannot be used.
    """
    if server is None:
        file = SQLiteFile(directory / "jobs.sqlite3")
        try:
            yield file
        finally:
            file.close()
        return
    with _connected(server) as admin:
        name = f"statemachine_{secrets.token_hex(6)}"
        _create(admin, server, name)
        try:
            yield PostgreSQLDatabase(admin, server, name)
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _create(admin: Any, server: str, name: str) -> None:
    import psycopg

    try:
        admin.execute(f'CREATE DATABASE "{name}"')
    except psycopg.Error as error:
        raise Refused(
            f"the PostgreSQL server at {_place(server)} makes no database ({_first_line(error)}): "
            "name a user that may create one, or leave --database-server out"
        ) from None


@contextmanager
def _connected(server: str) -> Iterator[Any]:
    scheme = server.partition("://")[0] if "://" in server else "nameless"
    if scheme not in ("postgres", "postgresql"):
        raise Refused(
            f"--database-server names a {scheme} server: "
            "write postgresql://USER@HOST:PORT/postgres, or leave it out for a SQLite file"
        )
    where = _place(server)
    try:
        import psycopg
    except ImportError:
        raise Refused(
            "--database-server needs psycopg: pip install '.[postgres]', or leave it out for a SQLite file"
        ) from None
    try:
        admin = psycopg.connect(server, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise Refused(
            f"the PostgreSQL server at {where} cannot be used ({_first_line(error)}): "
            "start it, or leave --database-server out"
        ) from None
    with closing(admin):
        yield admin


def _place(server: str) -> str:
    """Host and port.  Raises :class:`~statemachine.safety.Refused` for a URL without either."""
    try:
        parts = urlsplit(server)
        return f"{parts.hostname or 'its socket'}:{parts.port or 5432}"
    except ValueError:
        # What urllib and libpq say of such a URL may be a piece of its password.
        raise Refused(
            "--database-server cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/postgres, with "
            "every / @ : ? # of the password as %2F %40 %3A %3F %23"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
