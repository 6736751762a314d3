"""One database session of the system under test, which can be stopped before each of its statements.

Two hooks see everything.  Django's ``execute_wrappers``, with the methods for COMMIT and ROLLBACK, know the
SQL text.  psycopg's ``Connection.wait``, through which every request to the server passes, knows how long an
answer takes.  Both sit on one connection, so the code under test needs no database engine of ours.

Statements on a connection that the code under test opens for itself are not seen.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, suppress
from typing import Any, NoReturn, Protocol

import psycopg
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.utils import load_backend
from psycopg import errors, pq

from statemachine.world.databases.postgresql import check_name
from statemachine.world.databases.safety import Refused
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.example import COMMIT
from statemachine.world.faults import EndOfExample, WorkerKilled
from statemachine.world.transactions.naming import calls_function, may_write, name_of

POLL_SECONDS = 0.001
"""A statement without an answer after this time is looked at: it may wait for a lock."""

MOST_REFUSALS = 1000
"""Refused attempts on the database after which dead code is taken for an endless loop and parked for good."""

ROLLBACK = "ROLLBACK"


class Abandoned(EndOfExample):
    """The example of this session is over; the code that runs on it must end at once."""


class Control(Protocol):
    """What a session reports of its operation; each method may stop the operation where it stands."""

    def before(self, statement: str) -> None:
        """The session is about to execute ``statement``."""

    def began(self, statement: str) -> None:
        """The session executes ``statement`` now."""

    def waits(self) -> None:
        """The statement has had no answer for :data:`POLL_SECONDS`; called again while that lasts."""

    def failed(self, outcome: str) -> None:
        """The server has rolled back the transaction: ``deadlock`` or ``serialization_failure``."""

    def never_resume(self) -> NoReturn:
        """Park the code for good: it catches what says that it is dead, and tries again and again."""


class Session:
    """A database connection of its own, used by one operation at a time."""

    def __init__(
        self, configuration: Mapping[str, Any], faults_of: Callable[[Any], ConnectionFaults]
    ) -> None:
        self.wrapper: Any = new_wrapper(configuration)
        """Django's connection."""
        self.faults = faults_of(self.wrapper)
        """Strikes the calls on this connection, as on any other."""
        self.control: Control | None = None
        """The operation that has the session now."""
        self.is_victim = False
        """Whether its statement was cancelled to end a deadlock."""
        self._lost = False
        """Whether the server has ended the session."""
        self._abandoned = False
        self._refused = 0
        self._installed = ExitStack()

    def open(self) -> None:
        # The order of the wrappers matters; the first one is outermost.  An operation stops first, then a
        # planned fault strikes it (``faults``), then the statement counts as begun.  A kill at a stop must
        # not execute the statement, and a struck statement never reaches the server.
        connection_created.connect(self._connected, weak=False)
        self._installed.callback(connection_created.disconnect, self._connected)
        self.wrapper.execute_wrappers.append(self._stop_before)
        self._installed.enter_context(self.faults.installed())
        self.wrapper.execute_wrappers.append(self._execute)
        commit = self.wrapper.commit
        self.wrapper.commit = lambda: self._commit(commit)
        self.wrapper._commit = self._really_commit
        self.wrapper._rollback = self._rollback
        self.wrapper.ensure_connection = self._ensure_connection
        self.wrapper.ensure_connection()

    def close(self) -> None:
        self._installed.close()
        self._disconnect()

    @property
    def pid(self) -> int:
        return int(self.wrapper.connection.info.backend_pid)

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open; code under test may have closed it."""
        return self.wrapper.connection is not None and not self.wrapper.connection.closed

    @property
    def has_answer(self) -> bool:
        """Whether the server has answered the statement in flight; the answer is not read."""
        ready, _, _ = select.select([self.wrapper.connection.pgconn.socket], [], [], 0)
        return bool(ready)

    # -- the end of an operation ------------------------------------------------------------

    def roll_back_at_once(self) -> None:
        """Do what the server does when its client dies.  The session must be between two statements.

        It goes past psycopg and Django, which refuse all further statements of a dead process.
        """
        self.wrapper.connection.pgconn.exec_(b"ROLLBACK")

    def lose(self) -> None:
        """Note that the server has ended this session."""
        self._lost = True
        # Cursors of a closed connection close without a request to the server, which would fail.
        self.wrapper.connection.close()

    def abandon(self) -> None:
        """Refuse all further statements and report none, until :meth:`restore`."""
        self._abandoned = True

    def restore(self) -> None:
        """Make the session usable for the next operation, whatever state the last one has left it in."""
        self.control, self.is_victim, self._abandoned, self._refused = None, False, False, 0
        if self._lost or not self.is_connected:
            self._lost = False
            self._disconnect()
            self.faults.forget_transaction()
            self.faults.disarm()
            self.wrapper.ensure_connection()
        elif not self._is_at_rest:
            # A rollback is a round trip to the server: only where something is open.
            self.faults.abandon()

    @property
    def _is_at_rest(self) -> bool:
        wrapper = self.wrapper
        left = wrapper.in_atomic_block or wrapper.run_on_commit or not wrapper.autocommit
        idle = wrapper.connection.info.transaction_status == pq.TransactionStatus.IDLE
        return idle and not left

    def _disconnect(self) -> None:
        with suppress(psycopg.Error):
            if self.wrapper.connection is not None:
                self.wrapper.connection.close()
        self.wrapper.connection = None

    # -- statements -------------------------------------------------------------------------

    def _stop_before(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        try:
            self._refuse_the_dead()
            control = self._active_control
            if control is not None:
                control.before(name_of(sql))
            return execute(sql, params, many, context)
        except Exception:
            raise
        except BaseException:
            # Django closes a server-side cursor after an ``Exception`` only, and psycopg warns of one that is
            # collected while open: after a kill that would be a fault of ours, not of the code under test.
            with suppress(psycopg.Error, Abandoned):
                context["cursor"].close()
            raise

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        control = self._active_control
        if control is None:
            return execute(sql, params, many, context)
        control.began(name_of(sql))
        in_transaction = self.wrapper.in_atomic_block or not self.wrapper.autocommit
        if in_transaction or not (may_write(sql) or calls_function(sql)):
            return execute(sql, params, many, context)
        # A write in autocommit is a transaction of one statement, which the server commits by itself: after a
        # lock wait that is at any moment between two other steps.  With a BEGIN and COMMIT of ours around it,
        # its commit happens when this operation is resumed, and the rows are looked at right after it.
        psycopg_connection = self.wrapper.connection
        psycopg_connection.execute("BEGIN")
        try:
            result = execute(sql, params, many, context)
            written = may_write(sql) or _has_written(psycopg_connection)
            with self.wrapper.wrap_database_errors:
                psycopg_connection.execute("COMMIT")
        except Exception:
            with suppress(psycopg.Error):
                psycopg_connection.execute("ROLLBACK")
            raise
        if written:
            with self.faults.unwatched():
                self.faults.committed()
        return result

    def _ensure_connection(self) -> None:
        self._refuse_the_dead()
        type(self.wrapper).ensure_connection(self.wrapper)

    def _refuse_the_dead(self) -> None:
        """Raise instead of doing anything on behalf of a killed process or of an example that is over.

        A kill is an exception, and the code under test unwinds through its own ``except`` and ``finally``
        blocks, which may write.  A real dead process would not.  So every way from Django to the server
        passes here, or through ``wait`` (:meth:`_connected`).
        """
        if self._abandoned or self.faults.dead:
            self._refused += 1
            if self._refused > MOST_REFUSALS and self.control is not None:
                self.control.never_resume()
            raise Abandoned if self._abandoned else WorkerKilled

    def _commit(self, commit: Callable[[], None]) -> None:
        self._refuse_the_dead()
        control = self._active_control
        if control is not None:
            control.before(COMMIT)
        commit()

    def _really_commit(self) -> None:
        control = self._active_control
        if control is not None:
            control.began(COMMIT)
        # The method of the class: as an attribute of this wrapper, ``_commit`` is the present method.
        type(self.wrapper)._commit(self.wrapper)

    def _rollback(self) -> None:
        if self._lost:
            # The server has rolled back when it ended the session.
            return
        control = self._active_control
        if control is not None:
            control.before(ROLLBACK)
            control.began(ROLLBACK)
        type(self.wrapper)._rollback(self.wrapper)

    @property
    def _active_control(self) -> Control | None:
        """``control``; None for the verifier's own statements and for those of a dead process."""
        dead = self._abandoned or self.faults.dead
        return self.control if self.faults.watching and not dead else None

    # -- waiting ----------------------------------------------------------------------------

    def _connected(self, sender: Any, connection: Any, **_: Any) -> None:
        """Watch the psycopg connection that Django has just opened; it may open another one later."""
        if connection is not self.wrapper:
            return
        raw = connection.connection
        wait = type(raw).wait.__get__(raw)

        def watched(generator: Generator[Any, Any, Any], *_: Any, **__: Any) -> Any:
            if self._abandoned:
                raise Abandoned
            return wait(self._relayed(generator), interval=POLL_SECONDS)

        raw.wait = watched

    def _relayed(self, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Pass ``generator`` on and call ``control.waits`` when the server has sent nothing for a while.

        psycopg's requests are generators that yield when they want to read or write.  psycopg's own wait
        function sends them what is ready, or nothing after each interval: that is the moment to look for a
        lock wait.  While ``waits`` has stopped the operation, its greenlet stays suspended here, inside of
        the statement, and the answer is read when it is resumed.
        """
        try:
            state = next(generator)
            while True:
                ready = yield state
                if not ready and self.control is not None and not self._abandoned:
                    self.control.waits()
                state = generator.send(ready)
        except StopIteration as end:
            return end.value
        except errors.QueryCanceled:
            # A cancelled victim must meet what the server would have told it, since code under test may
            # retry after a deadlock, and after nothing else.
            if not self.is_victim:
                raise
            self.is_victim = False
            raise errors.DeadlockDetected(
                "deadlock detected (the verifier chose this one to end it)"
            ) from None
        except errors.SerializationFailure:
            if self.control is not None:
                self.control.failed("serialization_failure")
            raise
        except errors.DeadlockDetected:
            if self.control is not None:
                self.control.failed("deadlock")
            raise


def new_wrapper(configuration: Mapping[str, Any]) -> Any:
    """Return a new Django connection to the database of ``configuration``, an entry of ``DATABASES``.

    Each time that it connects it raises :class:`~statemachine.world.databases.safety.Refused` when another
    database answers than that of the name.
    """
    whole = connections.configure_settings({"default": dict(configuration)})["default"]
    wrapper = load_backend(whole["ENGINE"]).DatabaseWrapper(whole, "default")
    # Django ties a connection to the thread that made it, unless it is told that threads share it.
    wrapper.inc_thread_sharing()
    initialise = wrapper.init_connection_state

    def check_and_initialise() -> None:
        driver = wrapper.connection
        try:
            check_name(driver.execute("SELECT current_database()").fetchone()[0], whole["NAME"])
        except Refused:
            driver.close()
            wrapper.connection = None
            raise
        initialise()

    wrapper.init_connection_state = check_and_initialise
    return wrapper


def _has_written(connection: Any) -> bool:
    """Return whether the open transaction has written: a function may, which the text of a SELECT hides."""
    # The server gives a transaction its number with the first row that it writes or locks.
    found = connection.execute("SELECT txid_current_if_assigned()").fetchone()
    return found is not None and found[0] is not None
