"""The database of a run with real processes: a SQLite file, or a fresh database on a PostgreSQL server.

Either is made by the run under a name that did not exist before, and is gone afterwards.  The server is
only ever one that was named for this purpose: without one it is the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from statemachine.world.databases.postgresql import database


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


@contextmanager
def private_database(directory: Path, server: str | None = None) -> Iterator[Database]:
    """A database that did not exist before and does not afterwards.

    Raises :class:`~statemachine.world.databases.safety.Refused` for a server that cannot be used.
    """
    if server is None:
        file = SQLiteFile(directory / "jobs.sqlite3")
        try:
            yield file
        finally:
            file.close()
        return
    with database(server, otherwise="a SQLite file") as made:
        host = urlsplit(server).hostname or "a unix socket"
        yield replace(made, description=f"PostgreSQL database {made.name} on {host}")
