"""Runs each in-flight operation in its own greenlet and resumes one at a time, to its next SQL statement.

A resumed operation stops before its next statement, before COMMIT, or inside a statement that waits for a
lock.  All greenlets run in the one thread of the process, so nothing happens between two steps, and none of
the races between threads and a scheduler exist; in trials threads gave the same traces.

What remains is the server, which works at the same time.  When a step releases a lock, the server executes
the statement of the operation that waited for it; :meth:`Scheduler._settle` waits for that before the step
ends.  With two operations in flight at most one can wait, so the same steps always have the same outcome
(54 of 54 runs in trials).  Three operations would break this: several waiters for a row that was just
updated can overtake one another.
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
from statemachine.world.transactions.sessions import MOST_REFUSALS, Abandoned, Session

_UNKILLABLE: list[greenlet] = []
"""Greenlets that could not be killed.  Kept referenced: garbage collection would resume them."""
# A suspended greenlet that is collected has GreenletExit raised inside it.  These ones catch BaseException,
# so they would run on, in the middle of some later example.


class UnkillableCode(BindingError):
    """Code under test that cannot be killed; the message names its worker and the way out."""


class SchedulerListener(Protocol):
    """What the scheduler reports while it runs; each method is called from inside the operation concerned."""

    def describe(self, by: str, statement: str) -> InFlight:
        """Return the state of the running operation, which is about to execute ``statement``."""

    def statement_began(self, statement: str) -> None:
        """The running operation has sent ``statement`` to the server."""

    def lock_waited(self, holder: int) -> None:
        """The running operation waits for a lock; ``holder`` is the number of the call that has it."""

    def lock_granted(self, call: int) -> None:
        """The server has answered the call of that number, which had waited for a lock."""

    def transaction_undone(self, outcome: str) -> None:
        """The server has rolled back the running operation: ``deadlock`` or ``serialization_failure``."""

    def switched_to(self, session: Session | None) -> None:
        """From now on code runs on this session; None for the verifier's own connection."""


class Task:
    """One operation in flight: its greenlet, and how far it has come.

    It is also the :class:`~.sessions.Control` of its session.
    """

    def __init__(self, scheduler: Scheduler, by: str, session: Session, stepwise: bool) -> None:
        self.by = by
        """Name of the worker or actor that makes the operation; unique among the tasks in flight."""
        self.session = session
        self.stepwise = stepwise
        """Whether it stops before each statement; otherwise only where it must wait for a lock."""
        self.state: InFlight | None = None
        """Where it stands, as examples and reports see it; None until it has stopped once."""
        self.statement = ""
        """Name of the statement that it executes, or executed last."""
        self.executed = 0
        """Number of statements that it has begun."""
        self.cannot_be_killed = False
        self.error: ServerError | None = None
        """An error of the run that was found inside the greenlet, to be raised outside of it."""
        self._scheduler = scheduler
        self._hub = getcurrent()
        """The greenlet of the machine, to which the operation gives control back."""
        self._greenlet: greenlet | None = None
        self._waits_since: float | None = None
        """Real seconds at which a wait for an unknown lock was first noticed."""

    def begin(self, play: Callable[[], None]) -> None:
        self._greenlet = greenlet(play)
        # A new greenlet starts with an empty context, which would lose what code under test has set before:
        # Django keeps the active time zone there.
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
        """Whether it waits for a lock, or has got it and waits to be resumed."""
        return self.state is not None and (self.blocked or self.state.statement == RESUMES)

    def resume(self) -> None:
        if self._greenlet is not None:
            self._greenlet.switch()

    def throw(self, error: type[BaseException]) -> None:
        if self._greenlet is not None:
            self._greenlet.throw(error)

    # -- called by its session, inside the greenlet ------------------------------------------

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
            # Raised here it would pass through the code under test, which may catch it.
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
            # A deadlock: each waits for the other.  The server would choose the victim itself after
            # deadlock_timeout (1 s by default), and not always the same one: in 191 of 200 trials the last
            # to wait.  So the last to wait is made the victim here, always: its statement is cancelled, and
            # the session turns that error into a deadlock's.
            listener.transaction_undone("deadlock")
            self.session.is_victim = True
            self._scheduler.watcher.cancel(self.session.pid)
            self._scheduler.watcher.wait_until(
                lambda: self.session.has_answer, "a statement was cancelled and gets no answer"
            )
            return
        # It may have been started whole.  From here on it is in flight, and other operations run before it
        # ends, so each of its further statements is a step that the machine chooses.
        self.stepwise = True
        standing = listener.describe(self.by, self.statement)
        self.state = standing._replace(blocked_by=holder.by, executed=self.executed)
        self._pause(Fault.KILL_WHILE_BLOCKED)

    def _check_patience(self) -> None:
        """Raise :class:`ServerError` when a session that is not the run's holds a lock for too long."""
        # Most slow statements wait for no lock at all.  Only the connections of the run can be resumed, so a
        # lock that another one holds would never be released: better an error than a run that hangs.
        now = real_seconds()
        self._waits_since = self._waits_since or now
        if now - self._waits_since < server.PATIENCE_SECONDS:
            return
        blockers = self._scheduler.watcher.blockers(self.session.pid)
        self._waits_since = None
        if blockers:
            raise ServerError(
                f"{self.by} waits at {self.statement} for a lock that session {blockers[0]} has held "
                f"for {server.PATIENCE_SECONDS:g} s, and none of the run's connections belongs to it: "
                "operations are interleaved on Django's connection 'default' only; let code under test use it"
            )

    def failed(self, outcome: str) -> None:
        self._scheduler.listener.transaction_undone(outcome)

    def never_resume(self) -> NoReturn:
        # Raising once more would change nothing, since this code catches everything and tries again.  So it
        # is parked here for good, and the operation counts as ended.
        self.cannot_be_killed = True
        if self._greenlet is not None:
            _UNKILLABLE.append(self._greenlet)
        while True:
            self._hub.switch()

    def _pause(self, killed_by: Fault) -> None:
        """Give control back to the machine, until this operation is resumed or killed."""
        try:
            self._hub.switch()
        except WorkerKilled:
            # Thrown in by Scheduler.kill.  Through ``kill`` the call learns of it too: from now on it is
            # dead, and whatever else it tries on its database or queue is refused.
            self.session.faults.calls.kill(killed_by)


class Scheduler:
    """The operations in flight, at most one for each of ``sessions``."""

    def __init__(self, sessions: Sequence[Session], watcher: Watcher, listener: SchedulerListener) -> None:
        self.watcher = watcher
        self.listener = listener
        self.running: Task | None = None
        """The operation whose greenlet runs now; None while the machine's does."""
        self.tasks: dict[str, Task] = {}
        """The operations that have begun and not ended, by the name of their maker."""
        self.in_flight: dict[str, InFlight] = {}
        """The same, as examples see them: those that have stopped at least once."""
        self._free = list(sessions)

    def start(self, play: Callable[[], None], by: str, stepwise: bool) -> None:
        """Begin an operation: run it to its first statement, or unless ``stepwise`` to its end or a lock."""
        # Only workers make one call at a time.  Two stray calls, say, can be in flight together.
        name = by if by not in self.tasks else f"{by} 2"
        session = self._free.pop(0)
        task = self.tasks[name] = Task(self, name, session, stepwise)
        session.control = task
        self._run(task, lambda: task.begin(play))

    def proceed(self, by: str, strike: Strike | None = None) -> None:
        """Resume an operation that is not blocked, to its next statement; ``strike`` may strike it there."""
        task = self.tasks[by]
        if strike is not None:
            task.session.faults.calls.plan(strike)
        self._run(task, task.resume)

    def kill(self, by: str) -> None:
        """Kill the process that makes this operation: its transaction is rolled back, its locks are free."""
        task = self.tasks[by]
        # A real kill closes the socket and the server rolls back.  Here the rollback comes first: the Python
        # code of the dead worker still unwinds, and must find nothing that it could commit.  A session that
        # is inside a statement takes no further command, so the server has to end it (2-4 ms).
        if task.is_inside_a_statement:
            self._terminate(task.session)
        else:
            task.session.roll_back_at_once()
        self._run(task, lambda: task.throw(WorkerKilled))

    def clear(self) -> None:
        """End all operations in flight, whatever their code does about it; no lock is held afterwards.

        Raises ``KeyboardInterrupt`` when Ctrl-C came in the middle, but only after all have ended: an open
        transaction that was left behind would keep its row locks, and the next example would hang on them.
        """
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
        """Return the task whose lock ``waiting`` waits for now; None when it waits for no task's lock."""
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
        """Let ``task`` run until it stops, and account for where it stopped."""
        try:
            self._switch(task, action)
        finally:
            if task.ended:
                self._end(task)
        if task.error is not None:
            raise task.error
        if task.cannot_be_killed:
            raise UnkillableCode(
                f"{task.by} was killed, and its code catches even that and tries its database again, "
                f"{MOST_REFUSALS} times by now: let it catch Exception, and not BaseException"
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
            # Without a server nothing can be restored, and no lock is held: say that it has gone, then.
            self.watcher.check()
            raise
        finally:
            self._free.append(task.session)

    def _is_settled(self, task: Task) -> bool:
        return task.session.has_answer or self.lock_holder_for(task) is not None

    def _settle(self) -> None:
        """Wait until the server is at rest: it executes a blocked statement as soon as its lock is free."""
        for task in self.tasks.values():
            if not task.blocked or task.state is None:
                continue
            self.watcher.wait_until(
                partial(self._is_settled, task),
                f"{task.by} waits for no lock any more and gets no answer to {task.statement}",
            )
            if task.session.has_answer:
                task.state = task.state._replace(statement=RESUMES, blocked_by="")
                self.in_flight[task.by] = task.state
                self.listener.lock_granted(task.state.call)


__all__ = ["Scheduler", "SchedulerListener", "ServerError", "Task"]
