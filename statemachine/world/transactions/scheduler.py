"""Which operations are in flight, and one of them at a time goes on: up to its next statement, or a lock.

Each operation runs in a greenlet of its own, in the one thread there is: nothing happens between two steps.
What the server does at once when a lock is released is waited for before anybody else goes on; with two
operations there is at most one who waits, and the same steps always have the same outcome.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn, Protocol

from greenlet import getcurrent, greenlet

from statemachine.binding import BindingError
from statemachine.world.clock import real_seconds
from statemachine.world.example import COMMIT, RESUMES, InFlight
from statemachine.world.faults import Fault, Strike, WorkerKilled
from statemachine.world.transactions import server
from statemachine.world.transactions.server import ServerError, ServerGone, Watcher
from statemachine.world.transactions.sessions import Abandoned, Session

_UNKILLABLE: list[greenlet] = []
"""What would never end, and is never to run again, which it would do when nobody knew of it any more."""


class UnkillableCode(BindingError):
    """Code that cannot be killed; the message says whose and how it can be helped."""


class SchedulerListener(Protocol):
    """What the scheduler tells of, always from inside the operation that it is about."""

    def describe(self, by: str, statement: str) -> InFlight:
        """The operation that runs now, with the statement that it is about to execute."""

    def statement_began(self, statement: str) -> None: ...

    def lock_waited(self, holder: int) -> None:
        """A wait for a lock that the call of that number holds."""

    def lock_granted(self, call: int) -> None: ...

    def transaction_undone(self, outcome: str) -> None:
        """The server has undone the transaction."""

    def switched_to(self, session: Session | None) -> None:
        """From now on code runs on this session; None for the verifier's own."""


class Task:
    """An operation, and how far it has come."""

    def __init__(self, scheduler: Scheduler, by: str, session: Session, stepwise: bool) -> None:
        self.by = by
        self.session = session
        self.stepwise = stepwise
        self.state: InFlight | None = None
        self.statement = ""
        self.executed = 0
        self._scheduler = scheduler
        self._hub = getcurrent()
        self._greenlet: greenlet | None = None
        self.cannot_be_killed = False
        self.error: ServerError | None = None
        self._waits_since: float | None = None

    def begin(self, play: Callable[[], None]) -> None:
        self._greenlet = greenlet(play)
        # Its own context begins empty, where code under test may have left a time zone, say.
        self._greenlet.gr_context = contextvars.copy_context()
        self._greenlet.switch()

    @property
    def ended(self) -> bool:
        return self._greenlet is None or self._greenlet.dead or self.cannot_be_killed

    @property
    def blocked(self) -> bool:
        return self.state is not None and bool(self.state.blocked_by)

    @property
    def is_inside_a_statement(self) -> bool:
        """Whether it waits for a lock, or for its turn after such a wait."""
        return self.state is not None and (self.blocked or self.state.statement == RESUMES)

    def resume(self) -> None:
        if self._greenlet is not None:
            self._greenlet.switch()

    def throw(self, error: type[BaseException]) -> None:
        if self._greenlet is not None:
            self._greenlet.throw(error)

    # -- what its session tells, inside of the greenlet --------------------------------------

    def before(self, statement: str) -> None:
        if self.stepwise:
            self.state = self._scheduler.listener.describe(self.by, statement)._replace(
                executed=self.executed
            )
            self._pause(Fault.KILL_BEFORE_COMMIT if statement == COMMIT else Fault.KILL_BEFORE_STATEMENT)

    def began(self, statement: str) -> None:
        self.statement, self._waits_since = statement, None
        self.executed += 1
        self._scheduler.listener.statement_began(statement)

    def waits(self) -> None:
        try:
            self._report_lock_wait()
        except ServerError as error:
            # Raised here it would be an error of the code under test, which may catch it.
            self.error = error
            self._hub.switch()

    def _report_lock_wait(self) -> None:
        holder = self._scheduler.lock_holder_for(self)
        if holder is None or holder.state is None:
            self._check_patience()
            return
        listener = self._scheduler.listener
        listener.lock_waited(holder.state.call)
        if holder.blocked:
            # Each waits for the other.  The server would choose after a second, and not always the same.
            listener.transaction_undone("deadlock")
            self.session.is_victim = True
            self._scheduler.watcher.cancel(self.session.pid)
            self._scheduler.watcher.wait_until(
                lambda: self.session.has_answer, "a statement was cancelled and goes on"
            )
            return
        self.stepwise = True
        standing = listener.describe(self.by, self.statement)
        self.state = standing._replace(blocked_by=holder.by, executed=self.executed)
        self._pause(Fault.KILL_WHILE_BLOCKED)

    def _check_patience(self) -> None:
        """Raises :class:`ServerError` when somebody unknown holds a lock for too long."""
        now = real_seconds()
        self._waits_since = self._waits_since or now
        if now - self._waits_since < server.PATIENCE_SECONDS:
            return
        blockers = self._scheduler.watcher.blockers(self.session.pid)
        self._waits_since = None
        if blockers:
            raise ServerError(
                f"{self.by} waits at {self.statement} for a lock that session {blockers[0]} has held for "
                f"{server.PATIENCE_SECONDS:g} s, and which is none of the run's: what code under test does "
                "on connections of its own cannot be interleaved; let it use Django's"
            )

    def failed(self, outcome: str) -> None:
        self._scheduler.listener.transaction_undone(outcome)

    def never_resume(self) -> NoReturn:
        self.cannot_be_killed = True
        if self._greenlet is not None:
            _UNKILLABLE.append(self._greenlet)
        while True:
            self._hub.switch()

    def _pause(self, killed_by: Fault) -> None:
        try:
            self._hub.switch()
        except WorkerKilled:
            self.session.faults.calls.kill(killed_by)


class Scheduler:
    """At most as many operations in flight as there are ``sessions``."""

    def __init__(self, sessions: Sequence[Session], watcher: Watcher, listener: SchedulerListener) -> None:
        self.watcher = watcher
        self.listener = listener
        self.running: Task | None = None
        self.tasks: dict[str, Task] = {}
        self.in_flight: dict[str, InFlight] = {}
        self._free = list(sessions)

    def start(self, play: Callable[[], None], by: str, stepwise: bool) -> None:
        """Begin an operation: up to its first statement, or to its end unless ``stepwise``."""
        name = by if by not in self.tasks else f"{by} 2"
        session = self._free.pop(0)
        task = self.tasks[name] = Task(self, name, session, stepwise)
        session.control = task
        self._run(task, lambda: task.begin(play))

    def proceed(self, by: str, strike: Strike | None = None) -> None:
        """Let an operation that is not blocked go on to its next statement, to be struck by ``strike``."""
        task = self.tasks[by]
        if strike is not None:
            task.session.faults.calls.plan(strike)
        self._run(task, task.resume)

    def kill(self, by: str) -> None:
        """Whoever makes this operation dies where it stands: rolled back, and with all its locks free."""
        task = self.tasks[by]
        if task.is_inside_a_statement:
            self._terminate(task.session)
        else:
            task.session.roll_back_at_once()
        self._run(task, lambda: task.throw(WorkerKilled))

    def clear(self) -> None:
        """End all that is in flight, whatever the code does about it: no lock is held afterwards."""
        interrupted = False
        for task in list(self.tasks.values()):
            task.session.abandon()
            with suppress(ServerGone):
                self._terminate(task.session)
            try:
                self._switch(task, partial(task.throw, Abandoned))
            except BaseException as error:  # noqa: BLE001  whatever the code makes of its end
                interrupted = interrupted or isinstance(error, KeyboardInterrupt)
            with suppress(ServerGone):
                self._end(task)
        if interrupted:
            raise KeyboardInterrupt

    def lock_holder_for(self, waiting: Task) -> Task | None:
        """Whose lock ``waiting`` waits for now, if it waits for any."""
        others = {task.session.pid: task for task in self.tasks.values() if task is not waiting}
        if not others:
            return None
        blockers = self.watcher.blockers(waiting.session.pid)
        return next((others[pid] for pid in blockers if pid in others), None)

    def _terminate(self, session: Session) -> None:
        if session.is_connected:
            self.watcher.terminate(session.pid)
            session.lose()

    def _run(self, task: Task, action: Callable[[], None]) -> None:
        try:
            self._switch(task, action)
        finally:
            if task.ended:
                self._end(task)
        if task.error is not None:
            raise task.error
        if task.cannot_be_killed:
            raise UnkillableCode(
                f"{task.by} was killed, and its code catches even that and tries its database again, for "
                "ever: let it catch Exception, and not BaseException"
            )
        if not task.ended and task.state is not None:
            self.in_flight[task.by] = task.state
        self._settle()

    def _switch(self, task: Task, action: Callable[[], None]) -> None:
        before, self.running = self.running, task
        self.listener.switched_to(task.session)
        try:
            action()
        finally:
            self.running = before
            self.listener.switched_to(before.session if before is not None else None)

    def _end(self, task: Task) -> None:
        self.tasks.pop(task.by, None)
        self.in_flight.pop(task.by, None)
        try:
            if task.cannot_be_killed:
                self._terminate(task.session)
            task.session.restore()
        except Exception:
            # Without a server nothing can be restored, and nothing is held.
            self.watcher.check()
            raise
        finally:
            self._free.append(task.session)

    def _is_settled(self, task: Task) -> bool:
        return task.session.has_answer or self.lock_holder_for(task) is not None

    def _settle(self) -> None:
        """Wait for what the server does by itself: whose lock was released has its statement executed."""
        for task in self.tasks.values():
            if not task.blocked or task.state is None:
                continue
            self.watcher.wait_until(
                partial(self._is_settled, task),
                f"{task.by} waits for nobody's lock and gets no answer to {task.statement}",
            )
            if task.session.has_answer:
                task.state = task.state._replace(statement=RESUMES, blocked_by="")
                self.in_flight[task.by] = task.state
                self.listener.lock_granted(task.state.call)


__all__ = ["Scheduler", "SchedulerListener", "ServerError", "Task"]
