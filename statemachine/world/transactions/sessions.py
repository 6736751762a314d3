"""One database session of the system under test, which can be stopped before each of its statements.

Django shows the statements (its ``execute_wrappers``, and the methods for COMMIT and ROLLBACK), psycopg the
waiting: everything that a connection asks of the server passes through ``Connection.wait``.  What code under
test asks of a connection that it opened for itself is not seen.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NoReturn, Protocol

import psycopg
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.utils import load_backend
from psycopg import errors, pq

from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.example import COMMIT
from statemachine.world.faults import WorkerKilled
from statemachine.world.transactions.naming import may_write, name_of

POLL_SECONDS = 0.001
"""A statement that takes longer is asked about: it may wait for a lock."""

MOST_REFUSALS = 1000
"""How often code that is dead, or over, may try to reach its database: then it does nothing else for ever."""

ROLLBACK = "ROLLBACK"


class Abandoned(BaseException):
    """The example of this session is over; whatever was under way there must end at once."""


class Control(Protocol):
    """Hears what a session does, and may stop it there."""

    def before(self, statement: str) -> None:
        """The session is about to execute this statement, and may be stopped."""

    def began(self, statement: str) -> None: ...

    def waits(self) -> None:
        """The statement takes long; this may return only when it is known why."""

    def failed(self, outcome: str) -> None:
        """The server has undone the transaction: ``deadlock`` or ``serialization_failure``."""

    def never_resume(self) -> NoReturn:
        """The code catches whatever says that it is dead, and tries again for ever: it never runs again."""


class Session:
    """A connection of its own for one operation at a time; ``control`` is set while one has it.

    ``faults`` strikes its calls, as on any connection.
    """

    def __init__(
        self, configuration: Mapping[str, Any], faults_of: Callable[[Any], ConnectionFaults]
    ) -> None:
        self.wrapper: Any = new_wrapper(configuration)
        self.faults = faults_of(self.wrapper)
        self.control: Control | None = None
        self.is_victim = False
        self._lost = False
        self._abandoned = False
        self._refused = 0
        self._installed = ExitStack()

    def open(self) -> None:
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
        """Whether the server may have a session of it: code under test may have closed it."""
        return self.wrapper.connection is not None and not self.wrapper.connection.closed

    @property
    def has_answer(self) -> bool:
        """Whether the server has answered the statement that is waited for."""
        ready, _, _ = select.select([self.wrapper.connection.pgconn.socket], [], [], 0)
        return bool(ready)

    # -- the end of an operation ------------------------------------------------------------

    def roll_back_at_once(self) -> None:
        """What the server does when it notices that its client is gone.  Nothing must be under way there."""
        self.wrapper.connection.pgconn.exec_(b"ROLLBACK")

    def lose(self) -> None:
        """The server has ended this session."""
        self._lost = True
        # A cursor of it can then be closed without a word to the server.
        self.wrapper.connection.close()

    def abandon(self) -> None:
        """From now on nothing passes and nothing is reported, until :meth:`restore`."""
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
            # Django closes a server-side cursor after an ``Exception`` only.
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
        if in_transaction or not may_write(sql):
            return execute(sql, params, many, context)
        # A write in autocommit is a transaction of one statement.  Made one here, its commit is ours to see:
        # on its own it would take place whenever the server grants a lock, between any two other steps.
        psycopg_connection = self.wrapper.connection
        psycopg_connection.execute("BEGIN")
        try:
            result = execute(sql, params, many, context)
            with self.wrapper.wrap_database_errors:
                psycopg_connection.execute("COMMIT")
        except Exception:
            with suppress(psycopg.Error):
                psycopg_connection.execute("ROLLBACK")
            raise
        with self.faults.unwatched():
            self.faults.committed()
        return result

    def _ensure_connection(self) -> None:
        self._refuse_the_dead()
        type(self.wrapper).ensure_connection(self.wrapper)

    def _refuse_the_dead(self) -> None:
        """Everything that Django does with a connection begins here, or ends in ``wait``."""
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
        type(self.wrapper)._commit(self.wrapper)

    def _rollback(self) -> None:
        if self._lost:
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
        """The same, and ``control`` hears when the server has had nothing to say for a while."""
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


@contextmanager
def in_place_of_the_default(wrapper: Any) -> Iterator[None]:
    """Let Django's alias ``default`` be this connection for a while."""
    before = connections["default"]
    connections["default"] = wrapper
    try:
        yield
    finally:
        connections["default"] = before


def new_wrapper(configuration: Mapping[str, Any]) -> Any:
    """Another connection of Django's to the database of ``configuration``, that no thread owns."""
    whole = connections.configure_settings({"default": dict(configuration)})["default"]
    wrapper = load_backend(whole["ENGINE"]).DatabaseWrapper(whole, "default")
    wrapper.inc_thread_sharing()
    return wrapper
