"""Faults inside a transaction, and the sight of its commits, on one Django connection.

The only module that patches a connection.  Statements pass through Django's ``execute_wrapper``; COMMIT does
not, so ``connection.commit`` itself is wrapped.

Not seen: connections that the code under test opens for itself, and other threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from statemachine.world.faults import CallFaults, Fault, FaultPlace, Strike, WorkerKilled

DATA_STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
"""First words of what counts as a statement.

Never SAVEPOINT or RELEASE: there Django cleans up after a ``DatabaseError`` only, so a kill would leave its
count of savepoints wrong.
"""


def _database_error() -> OperationalError:
    return OperationalError("server closed the connection unexpectedly (planned by the verifier)")


class ConnectionFaults:
    """Strikes each call with its planned fault, and reports each commit that took place."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        committed: Callable[[], None],
        struck: Callable[[Fault], None],
    ) -> None:
        """``committed()`` is called right after a COMMIT, ``struck(fault)`` right before a fault strikes."""
        self.connection = connection
        self.committed = committed
        self.calls = CallFaults(struck, _database_error)
        """What strikes; the calls on the world's queue and publisher pass it as well."""
        self.autocommitted = False
        """Whether the call has executed a statement outside of a transaction."""
        self.statements = 0
        """Number of data statements that the call has executed."""
        self._watching = False

    @property
    def dead(self) -> bool:
        return self.calls.dead

    @property
    def watching(self) -> bool:
        """Whether the statements of the connection now are those of a call; else they are the verifier's."""
        return self._watching

    def arm(self, strike: Strike | None, stage: str = "") -> None:
        """Begin to watch a call, and plan ``strike`` for it; ``stage`` names it in a crash boundary."""
        self.calls.arm(strike, stage)
        self.autocommitted = False
        self.statements = 0
        self._watching = True

    def disarm(self) -> None:
        """Stop watching: what follows is the verifier's own SQL."""
        self.calls.arm(None, "")
        self._watching = False

    def abandon(self) -> None:
        """Roll back an open transaction, and reset Django's own account of it.

        Ctrl-C may come between any two lines of Django, so neither its ``in_atomic_block`` nor its idea of
        autocommit can be trusted: the database connection is asked directly.
        """
        self.disarm()
        connection = self.connection
        if connection.connection is not None:
            connection.connection.rollback()
            self.forget_transaction()
            connection.set_autocommit(True)

    def forget_transaction(self) -> None:
        """Clear Django's account of a transaction, its savepoints and hooks; the server is not asked."""
        connection = self.connection
        connection.in_atomic_block = connection.needs_rollback = connection.closed_in_transaction = False
        connection.savepoint_ids, connection.atomic_blocks, connection.run_on_commit = [], [], []
        connection.run_commit_hooks_on_set_autocommit_on = False

    @property
    def in_transaction(self) -> bool:
        return bool(self.connection.in_atomic_block)

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """Stop watching for a moment: for the verifier's own SQL in the middle of a call."""
        watching, self._watching = self._watching, False
        try:
            yield
        finally:
            self._watching = watching

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
        try:
            self.calls.pass_by(FaultPlace.BEFORE_COMMIT)
        except BaseException:
            # Roll back before Django sees the exception.  It would restore autocommit, and on SQLite that
            # commits what is open: the kill "before" the commit would have committed.
            self.connection.rollback()
            raise
        original()
        with self.unwatched():
            self.committed()
        try:
            self.calls.pass_by(FaultPlace.AFTER_COMMIT)
        except WorkerKilled:
            self.connection.run_on_commit = []  # a dead process runs no on_commit hook
            raise

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if self._watching and sql.lstrip("( \n\t")[:6].upper().startswith(DATA_STATEMENTS):
            try:
                self.calls.pass_by(FaultPlace.BEFORE_STATEMENT)
            except OperationalError:
                # As on PostgreSQL: after an error a transaction can only be rolled back.  SQLite would let
                # the code under test continue in it.
                self.connection.needs_rollback = self.connection.in_atomic_block
                raise
            self.statements += 1
            if not self.connection.in_atomic_block:
                self.autocommitted = True
        return execute(sql, params, many, context)
