"""The database of a run with real processes: a SQLite file, or a fresh database on a PostgreSQL server.

The run makes it under a name that did not exist before, and removes it afterwards.  A server is used only
if it was named for this purpose (``--database-server``); without one it is the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from statemachine.world.databases.postgresql import database


class Database(Protocol):
    """A database that was made for one run."""

    url: str
    """May hold a password: never printed."""
    name: str
    description: str
    """For reports; holds no password."""

    def in_transaction(self) -> bool:
        """Whether any worker has a transaction open that may write, right now."""


class SQLiteFile:
    """A SQLite file in write-ahead mode, where readers and the one writer do not wait for each other."""

    def __init__(self, file: Path) -> None:
        self.url = file.absolute().as_uri().replace("file://", "sqlite://", 1)
        self.name = str(file)
        self.description = "SQLite file in WAL mode, made for this run"
        with closing(sqlite3.connect(file)) as created:
            created.execute("PRAGMA journal_mode=WAL")
        self._looking = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)

    def in_transaction(self) -> bool:
        # SQLite has one write lock and no view of who holds it, so this tries to take it, without waiting.
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
    """Make a database under a new name, and remove it afterwards.

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
        yield replace(made, description=f"PostgreSQL database {made.name} on {made.host or 'a unix socket'}")
