"""What only the server can tell of the sessions of a run, asked on a connection of its own.

It looks at the lock table and ends sessions of ours; it touches no table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from statemachine.world.clock import real_seconds

_PATIENCE_SECONDS = 30.0
_NAP_SECONDS = 0.0005


class ServerError(RuntimeError):
    """The server does not do what a run depends on; the message says what and for how long."""


class Watcher:
    """A connection from which a run looks at its own sessions.  ``database`` are psycopg's parameters."""

    def __init__(self, database: dict[str, Any]) -> None:
        import psycopg

        self._connection: Any = psycopg.connect(**database, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def blockers(self, pid: int) -> list[int]:
        """The process ids of the sessions that hold what ``pid`` waits for; none if it waits for no lock."""
        row = self._connection.execute("SELECT pg_blocking_pids(%s)", (pid,)).fetchone()
        found: list[int] = row[0]
        return found

    def cancel(self, pid: int) -> None:
        """Let the statement that ``pid`` executes fail."""
        self._connection.execute("SELECT pg_cancel_backend(%s)", (pid,))

    def terminate(self, pid: int) -> None:
        """End session ``pid``, and wait until all of its locks are free.

        Raises :class:`ServerError` when it is still there after half a minute.
        """
        self._connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        # Its two-argument form looks only every 100 ms.
        self.wait_until(lambda: not self._is_there(pid), f"session {pid} was ended and is still there")

    def _is_there(self, pid: int) -> bool:
        found = self._connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()
        return found is not None

    def wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Ask again and again.  Raises :class:`ServerError`, saying ``otherwise``, after half a minute."""
        end = real_seconds() + _PATIENCE_SECONDS
        while not holds():
            if real_seconds() > end:
                raise ServerError(f"PostgreSQL: {otherwise} after {_PATIENCE_SECONDS:g} s; run again")
            time.sleep(_NAP_SECONDS)
