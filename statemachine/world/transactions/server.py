"""What only the server can tell of the sessions of a run, asked on a connection of its own.

It looks at the lock table and ends sessions of ours; it touches no table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from statemachine.world.clock import real_seconds
from statemachine.world.lane import Lost

PATIENCE_SECONDS = 30.0
_NAP_SECONDS = 0.0005


class ServerError(Lost):
    """The server does not do what a run depends on; the message says what and for how long."""


class ServerGone(ServerError):
    """There is no server any more, or it has ended the sessions of the run."""

    def __init__(self, error: Exception) -> None:
        # "<message>\n\tThis probably means the server terminated abnormally"
        said = (str(error).splitlines() or [type(error).__name__])[0]
        super().__init__(
            f"the PostgreSQL server went away in the middle of the run ({said}): what was played from there "
            "on says nothing; run again"
        )


class Watcher:
    """A connection from which a run looks at its own sessions.  ``database`` are psycopg's parameters."""

    def __init__(self, database: dict[str, Any]) -> None:
        import psycopg

        self._connection: Any = psycopg.connect(**database, autocommit=True)
        self._gone: ServerGone | None = None

    def close(self) -> None:
        self._connection.close()

    def blockers(self, pid: int) -> list[int]:
        """The process ids of the sessions that hold what ``pid`` waits for; none if it waits for no lock."""
        row = self._ask("SELECT pg_blocking_pids(%s)", pid)
        found: list[int] = row[0]
        return found

    def cancel(self, pid: int) -> None:
        """Let the statement that ``pid`` executes fail."""
        self._ask("SELECT pg_cancel_backend(%s)", pid)

    def terminate(self, pid: int) -> None:
        """End session ``pid``, and wait until all of its locks are free.

        Raises :class:`ServerError` when it is still there after half a minute.
        """
        self._ask("SELECT pg_terminate_backend(%s)", pid)
        # Its two-argument form looks only every 100 ms.
        self.wait_until(lambda: not self._is_there(pid), f"session {pid} was ended and is still there")

    def _is_there(self, pid: int) -> bool:
        return self._ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid) is not None

    def check(self) -> None:
        """Raises :class:`ServerGone` unless the server answers."""
        self._ask("SELECT pg_backend_pid() = %s", 0)

    def _ask(self, query: str, pid: int) -> Any:
        import psycopg

        try:
            return self._connection.execute(query, (pid,)).fetchone()
        except psycopg.OperationalError as error:
            # What is said first says most: later it is only that the connection is closed.
            self._gone = self._gone or ServerGone(error)
            raise self._gone from None

    def wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Ask again and again.  Raises :class:`ServerError`, saying ``otherwise``, after half a minute."""
        end = real_seconds() + PATIENCE_SECONDS
        while not holds():
            if real_seconds() > end:
                raise ServerError(f"PostgreSQL: {otherwise} after {PATIENCE_SECONDS:g} s; run again")
            time.sleep(_NAP_SECONDS)
