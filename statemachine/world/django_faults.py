"""Faults inside a transaction, and the sight of its commits, on one Django connection.

The only module that patches a connection.  COMMIT does not pass through Django's
``execute_wrapper``, so ``connection.commit`` itself is wrapped: before it a fault rolls back first
(SQLite would otherwise commit when Django restores autocommit), after it the row is there to stay.
What it cannot see: connections that the code under test opens for itself, and other threads.  A fault
strikes the first commit of a call, so what lies between a call's second and third is not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from statemachine.world.faults import Fault, Killed

BEFORE = frozenset({Fault.KILL_BEFORE_COMMIT, Fault.ERROR_BEFORE_COMMIT})
AFTER = frozenset({Fault.KILL_AFTER_COMMIT, Fault.ANSWER_LOST})


class ConnectionFaults:
    """Arms one fault for the next commit and reports each commit that took place.

    ``committed()`` is called right after a COMMIT; ``struck(fault)`` right before a fault is raised.
    Once a kill has struck, every further statement and commit raises :class:`Killed` until
    :meth:`disarm`, since code under test may have an ``except Exception`` or a ``finally`` in the way.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        committed: Callable[[], None],
        struck: Callable[[Fault], None],
    ) -> None:
        self.connection = connection
        self.committed = committed
        self.struck = struck
        self.dead = False
        self.autocommitted = False
        self._armed: Fault | None = None
        self._watching = False

    def arm(self, fault: Fault | None) -> None:
        """Watch the calls that follow; ``fault`` strikes at their next commit."""
        self._armed = fault
        self.dead = self.autocommitted = False
        self._watching = True

    def disarm(self) -> None:
        """Stop watching: what follows is the verifier's own SQL."""
        self._armed = None
        self.dead = self._watching = False

    def abandon(self) -> None:
        """Roll back whatever is open: Ctrl-C may have struck between any two of Django's own lines."""
        self.disarm()
        connection = self.connection
        if connection.connection is not None:
            connection.connection.rollback()
            connection.in_atomic_block = connection.needs_rollback = False
            connection.savepoint_ids, connection.atomic_blocks, connection.run_on_commit = [], [], []
            connection.set_autocommit(True)

    @contextmanager
    def installed(self) -> Iterator[None]:
        original = self.connection.commit
        self.connection.commit = lambda: self._commit(original)
        self.connection.execute_wrappers.append(self._statement)
        try:
            yield
        finally:
            self.connection.execute_wrappers.remove(self._statement)
            del self.connection.commit

    def _commit(self, original: Callable[[], None]) -> None:
        if not self._watching:
            original()
            return
        if self.dead:
            self.connection.rollback()
            raise Killed
        fault, self._armed = self._armed, None
        if fault in BEFORE:
            self.connection.rollback()
            self._strike(fault)
        original()
        if fault is Fault.KILL_AFTER_COMMIT:
            self.connection.run_on_commit = []  # a dead process runs no on_commit hook
        self._watching = False
        self.committed()
        self._watching = True
        if fault in AFTER:
            self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        self.struck(fault)
        if fault in (Fault.ERROR_BEFORE_COMMIT, Fault.ANSWER_LOST):
            raise OperationalError("server closed the connection unexpectedly (planned by the verifier)")
        self.dead = True
        raise Killed

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if self._watching:
            if self.dead:
                raise Killed
            if not self.connection.in_atomic_block and sql != "BEGIN":
                self.autocommitted = True
        return execute(sql, params, many, context)
