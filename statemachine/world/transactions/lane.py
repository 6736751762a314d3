"""The transactions lane: the examples of the embedded lane on PostgreSQL, two of their operations at once.

Steps that make no call on the system (time moves, a kill between two steps) are the embedded lane's.

Not shown: more than two operations at once, time that passes inside of a transaction, another isolation
level than the database's default, another version of PostgreSQL than the one at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connections

from statemachine.binding import Binding, OwnFault
from statemachine.history import events as history
from statemachine.world.databases.aliases import in_place_of_the_default, of_the_default
from statemachine.world.databases.safety import Refused
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.example import InFlight
from statemachine.world.faults import Strike
from statemachine.world.lane import Lane
from statemachine.world.transactions.scheduler import Scheduler
from statemachine.world.transactions.server import Watcher
from statemachine.world.transactions.sessions import Session, new_wrapper

MOST_IN_FLIGHT = 2
"""With three open transactions two may wait for one row, and which of them gets it is the server's choice."""


class TransactionsLane(Lane):
    """A binding on a PostgreSQL database that the run has made.

    ``configuration`` is the database's entry of Django's ``DATABASES``.
    """

    most_in_flight = MOST_IN_FLIGHT
    # A step takes about three times as long here as on SQLite in memory (590 a second in trials).
    steps_to_minimise = 20_000
    steps_to_explain = 2000

    def __init__(
        self, binding: Binding, configuration: Mapping[str, Any], clock_skew_seconds: int = 0
    ) -> None:
        super().__init__(binding, clock_skew_seconds)
        self._configuration = configuration
        self._scheduler: Scheduler
        self._own: Any = None
        self._aliases = of_the_default()

    @contextmanager
    def _connected(self) -> Iterator[None]:
        # Four connections: one for each operation in flight, one for the verifier's own queries, and one that
        # asks the server about the others.  Whichever acts now is Django's ``default`` (``switched_to``).
        with ExitStack() as stack:
            self._own = stack.enter_context(closing(new_wrapper(self._configuration)))
            self._own.ensure_connection()
            # All of them: with one left out it could ask, and end sessions of, another server.
            parameters = self._own.get_connection_params()
            for django_only in ("context", "cursor_factory"):
                parameters.pop(django_only, None)
            watcher = stack.enter_context(closing(Watcher(parameters)))
            sessions = [Session(self._configuration, self._faults_of) for _ in range(MOST_IN_FLIGHT)]
            for session in sessions:
                stack.enter_context(closing(session))
                session.open()
            # Stands for all while no operation runs: nothing strikes then.
            self._faults = sessions[0].faults
            self._scheduler = Scheduler(sessions, watcher, self)
            stack.enter_context(in_place_of_the_default(self._own))
            stack.callback(self.abandon)
            yield

    @property
    def faults(self) -> ConnectionFaults:
        running = self._scheduler.running
        return running.session.faults if running is not None else self._faults

    @property
    def in_flight(self) -> Mapping[str, InFlight]:
        return self._scheduler.in_flight

    @contextmanager
    def looking(self) -> Iterator[None]:
        # The connection of the running call is inside its transaction and would also see what is not
        # committed.
        running = self._scheduler.running
        self.switched_to(None)
        try:
            yield
        finally:
            self.switched_to(running.session if running is not None else None)

    def play(self, play: Callable[[], None], by: str, stepwise: bool) -> None:
        if by:
            self._scheduler.start(play, by, stepwise)
        else:
            play()

    def proceed(self, by: str, strike: Strike | None = None) -> None:
        self._scheduler.proceed(by, strike)

    def kill_in_flight(self, by: str) -> None:
        self._scheduler.kill(by)

    def check(self) -> None:
        self._scheduler.watcher.check()

    def abandon(self) -> None:
        self._scheduler.clear()

    def _reset(self) -> None:
        if self.current is not None:
            # What ends now is ended by the lane, so it must not count as a situation that the system met.
            self.current.reach = None
        self._scheduler.clear()
        self._end_unfinished_command()
        try:
            super()._reset()
        except Exception:
            # If the server is away, say that, and not that the binding's reset failed.
            self.check()
            raise

    def _end_unfinished_command(self) -> None:
        """Close a connection that Ctrl-C has stopped in the midst of a statement; Django opens it anew."""
        driver = self._own.connection
        if driver is not None and driver.info.transaction_status.name == "ACTIVE":
            driver.cancel()
            self._own.close()

    # -- called by the scheduler, from inside an operation (SchedulerListener) ---------------

    def describe(self, by: str, statement: str) -> InFlight:
        call = self.example.current_call
        asked = self.example.ledger.calls[call].invoked
        return InFlight(by, str(asked.operation), asked.job, call, statement)

    def statement_began(self, statement: str) -> None:
        example = self.example
        example.record(history.StatementBegan(example.now, example.current_call, statement))

    def lock_waited(self, holder: int) -> None:
        example = self.example
        example.record(history.LockWaited(example.now, example.current_call, holder))

    def lock_granted(self, call: int) -> None:
        example = self.example
        example.record(history.LockGranted(example.now, call))

    def transaction_undone(self, outcome: str) -> None:
        self.example.struck(outcome)

    def switched_to(self, session: Session | None) -> None:
        wrapper = self._own if session is None else session.wrapper
        for alias in self._aliases:
            connections[alias] = wrapper


@contextmanager
def open_on(
    configuration: Mapping[str, Any], binding: Binding, path: str, clock_skew_seconds: int = 0
) -> Iterator[TransactionsLane]:
    """Migrate the empty database of ``configuration`` and open a lane on it.

    ``configuration`` is an entry of Django's ``DATABASES``; ``path`` names the binding in errors.

    Raise :class:`~statemachine.binding.OwnFault` when the migrations of the binding's settings fail, and
    :class:`~statemachine.world.databases.safety.Refused` when a connection reaches another database.
    """
    _migrate(configuration, path)
    lane = TransactionsLane(binding, configuration, clock_skew_seconds)
    with lane.open():
        yield lane


def _migrate(configuration: Mapping[str, Any], path: str) -> None:
    with closing(new_wrapper(configuration)) as wrapper, in_place_of_the_default(wrapper):
        try:
            call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
        except Refused:
            raise
        except Exception as error:
            raise OwnFault(
                f"--binding {path}: its migrations cannot make an empty database on PostgreSQL "
                f"({type(error).__name__}: {error}); mend them, or play --lane embedded"
            ) from error
