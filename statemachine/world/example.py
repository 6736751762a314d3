"""One example: the world, the system under test and the judge, wired together.

An :class:`Example` lives as long as one history; the lane on which it is played (``lane.py``) lives as long
as a run.  An example makes calls on the system and turns what comes of them into events.  It does not choose
them: ``operations/`` says what is possible, the machine or a replay chooses.

Calls may overlap in the transactions lane, so what belongs to one of them is in its :class:`OpenCall`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from statemachine.binding import Binding, Delivery
from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.reach import Reach
from statemachine.invariants import Invariant, Judge
from statemachine.lifecycle import ACQUISITIONS, FENCED, MESSAGE_STEPS, Answer, Operation
from statemachine.world.clock import Clock
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.faults import STATEMENT_FAILED, EndOfExample, Fault, Strike, WorkerKilled, stage_of
from statemachine.world.ids import Ids
from statemachine.world.observer import Observer
from statemachine.world.queue import SimulatedQueue
from statemachine.world.workers import WORKERS, Slot

MOST_SAID = 100_000
"""Characters that are kept of what an exception said."""

COMMIT = "COMMIT"
RESUMES = "resumes"
"""In place of a statement: the operation has got the lock that it waited for, and finishes the statement."""


class InFlight(NamedTuple):
    """An operation that has begun and not ended, stopped between two steps."""

    by: str
    """The worker or actor that makes it."""
    operation: str
    job: str
    """Empty for a sweep."""
    call: int
    """Number of its call in the history."""
    statement: str
    """What it executes next, or waits in; what it does after that is not known."""
    blocked_by: str = ""
    """The maker of the operation whose lock it waits for; empty if it waits for none."""
    executed: int = 0
    """Statements that it has begun."""


class ExampleContext(Protocol):
    """The part of a lane that an example uses; :class:`~.lane.Lane` documents its methods."""

    binding: Binding
    clock: Clock
    clock_skew_seconds: int
    """How far a worker's clock may be ahead or behind."""
    most_in_flight: int
    """Operations that can be in flight at a time; 0 where they run whole."""

    @property
    def claims(self) -> Sequence[Invariant]: ...

    @property
    def faults(self) -> ConnectionFaults: ...

    @property
    def in_flight(self) -> Mapping[str, InFlight]: ...

    def looking(self) -> AbstractContextManager[None]: ...

    def play(self, play: Callable[[], None], by: str, stepwise: bool) -> None: ...

    def proceed(self, by: str, strike: Strike | None = None) -> None: ...

    def kill_in_flight(self, by: str) -> None: ...


@dataclass(slots=True)
class OpenCall:
    """A call that has begun and not ended."""

    number: int
    faults: ConnectionFaults
    """Those of the connection that it runs on."""
    committed: bool = False
    own_error: Exception | None = None
    """An error of the verifier or the binding in its middle, raised when the call has ended.

    Raised at once it would pass through the code under test, and count as an answer of the system.
    """


# A context variable and not an attribute: each operation in flight has a context of its own, so this is the
# call of the operation that runs now, whichever that is.
_MAKING: ContextVar[OpenCall] = ContextVar("the call that is being made here")


def ends_with(error: Exception) -> bool:
    """Let the call that is being made here end the run with ``error``; False if none is being made."""
    making = _MAKING.get(None)
    if making is None:
        return False
    making.own_error = making.own_error or error
    return True


class Example:
    """One history in the making."""

    def __init__(self, lane: ExampleContext, reach: Reach | None) -> None:
        self.lane = lane
        self.binding = lane.binding
        self.lifecycle = lane.binding.lifecycle
        self.clock = lane.clock
        self.clock_skew_seconds = lane.clock_skew_seconds
        self.events: list[Event] = []
        """What has happened so far."""
        self.judge = Judge(self.lifecycle, lane.claims)
        self.ledger = self.judge.ledger
        self.reach = reach
        self.queue = SimulatedQueue(
            self.lifecycle.visibility_seconds,
            self.lifecycle.max_receives,
            lambda: self.clock.now,
            self.record,
        )
        self.workers: dict[str, Slot[Delivery]] = {name: Slot(name) for name in WORKERS}
        self.jobs: list[str] = []
        self.to_publish: dict[str, str] = {}
        """Tenants by job: what the publisher has been given and not published."""
        self.steps = 0
        self.step_key = 0
        """Number of the present step; above :attr:`steps` in a replay of fewer steps, which keep theirs."""
        self.draining = False
        self._named_in_step = 0
        self._begun = 0
        self._latest: OpenCall | None = None
        self.ids = Ids()
        self._observer = Observer(self.binding, self.ids)

    @property
    def now(self) -> float:
        return self.clock.now

    @property
    def faults(self) -> ConnectionFaults:
        return self.lane.faults

    @property
    def in_flight(self) -> Mapping[str, InFlight]:
        return self.lane.in_flight

    @property
    def current_call(self) -> int:
        """Number of the call that the running operation makes, else of the one that began last."""
        making = _MAKING.get(None)
        return making.number if making is not None else self._begun

    @property
    def committed_in_call(self) -> bool:
        """Whether the call that began last has committed anything."""
        return self._latest is not None and self._latest.committed

    def record(self, event: Event) -> None:
        self.events.append(event)
        self.judge.take(event)
        if self.reach is not None:
            self.reach.take(self.ledger, event)

    # -- steps ------------------------------------------------------------------------------

    def begin_step(self, operation: str, arguments: dict[str, Any], key: int | None = None) -> None:
        """Record the beginning of a step.

        ``key`` is its number, from which its job and messages get their names.  A replay passes the saved
        one, so that ``j5`` is still ``j5`` when an earlier step was left out.
        """
        self.steps += 1
        self.step_key = key if key is not None else self.step_key + 1
        self._named_in_step = 0
        self.record(history.StepBegan(self.now, self.step_key, operation, arguments, self.draining))

    def next_key(self) -> int:
        return self.step_key + 1

    def new_message(self) -> str:
        """Return a name for a message that is created in this step."""
        self._named_in_step += 1
        suffix = "" if self._named_in_step == 1 else f".{self._named_in_step}"
        return f"m{self.step_key}{suffix}"

    def move_clock(self, to: float) -> None:
        since = self.now
        self.clock.move_to(to)
        self.record(history.ClockMoved(self.now, since))

    def skew_clock(self, worker: str, seconds: float) -> None:
        self.record(history.ClockSkewed(self.now, worker, seconds))

    def count_others(self) -> str | None:
        """Record and return the binding's aggregate over all rows of other jobs; None if it has none."""
        aggregate = self._observer.others(self.jobs)
        if aggregate is not None:
            self.record(history.OthersCounted(self.now, aggregate))
        return aggregate

    def kill(self, worker: str, where: str) -> None:
        self.workers[worker].forget()
        self.record(history.Killed(self.now, worker, where))

    # -- calls ------------------------------------------------------------------------------

    def call(
        self,
        operation: Operation,
        run: Callable[[], Any],
        *,
        actor: str,
        job: str = "",
        tenant: str = "",
        attempt: int | None = None,
        payload: str | None = None,
        message: str | None = None,
        strike: Strike | None = None,
    ) -> history.Returned | history.Raised | history.Unknown:
        """Make one call on the system under test; record it, what it does, and how it ends.

        ``run`` returns the attempt number or None (acquisitions), True or False (finishes) or nothing.
        Return the event of its end: ``Unknown`` for a call that was killed or whose answer was lost.
        """
        self._begun += 1
        making = self._latest = OpenCall(self._begun, self.lane.faults)
        asked = history.Invoked(
            self.now, making.number, operation, actor, job, tenant, attempt, payload, message
        )
        before = _MAKING.set(making)
        try:
            return self._make(making, asked, run, strike)
        finally:
            _MAKING.reset(before)

    def _make(
        self, making: OpenCall, asked: history.Invoked, run: Callable[[], Any], strike: Strike | None
    ) -> history.Returned | history.Raised | history.Unknown:
        call, faults = making.number, making.faults
        self.record(asked)
        end: history.Returned | history.Raised | history.Unknown
        faults.arm(strike, stage_of(asked.operation))
        try:
            with self._clock_of(asked.actor):
                answer = run()
            end = self._answer(asked, answer)
        except WorkerKilled:
            end = history.Unknown(self.now, call, "killed")
        except BaseException as error:  # whatever the code under test raises is its answer
            if _ends_the_run(error):  # what follows is our own clean-up
                faults.disarm()
                raise
            end = history.Raised(self.now, call, f"{type(error).__name__}: {self.ids.named(_said(error))}")
        if faults.dead:  # also when the code under test caught the kill
            end = history.Unknown(self.now, call, "killed")
        elif Fault.ANSWER_LOST in self.ledger.calls[call].faults and isinstance(end, history.Raised):
            end = history.Unknown(self.now, call, "answer lost")
        if making.own_error is not None:
            faults.disarm()
            raise making.own_error
        where, unseen = faults.calls.boundary, self._is_unseen(making, asked.operation)
        faults.disarm()
        if unseen:
            self._observe(call, by_autocommit=True)
        self.record(end)
        if where:
            self._bury(asked.actor, asked.job, where)
        return end

    @contextmanager
    def _clock_of(self, actor: str) -> Iterator[None]:
        skew = self.ledger.skews.get(actor, 0)
        if not skew:
            yield
            return
        self.clock.show(self.now + skew)
        try:
            yield
        finally:
            self.clock.show(self.now)

    def _is_unseen(self, making: OpenCall, operation: Operation) -> bool:
        """Return whether the call that has just ended may have written rows that no commit has shown.

        A commit is seen by its hook.  A write in autocommit has none, so the rows are read once more.
        """
        if operation in MESSAGE_STEPS and not making.faults.statements:
            return False
        return making.faults.autocommitted or not making.committed

    def committed(self) -> None:
        """Record a COMMIT that the connection has just executed in the running call, and what it changed."""
        making = _MAKING.get()
        making.committed = True
        try:
            self.record(history.Committed(self.now, making.number))
            self._observe(making.number)
        except Exception as error:  # noqa: BLE001  an error of ours, or of the binding, is no answer of the system
            making.own_error = error

    def catch_up(self) -> None:
        """Record what the running call has written by now without a transaction."""
        faults = self.faults
        if faults.autocommitted and not faults.in_transaction:
            with faults.unwatched():
                self._observe(self.current_call, by_autocommit=True)

    def struck(self, fault: str) -> None:
        if fault == Fault.ERROR_BEFORE_STATEMENT and not self.faults.in_transaction:
            fault = STATEMENT_FAILED
        self.record(history.FaultStruck(self.now, self.current_call, str(fault)))

    def _answer(self, asked: history.Invoked, answer: Any) -> history.Returned:
        attempt = None
        if asked.operation in ACQUISITIONS:
            attempt = None if answer is None or answer is False else int(answer)
            granted = attempt is not None
        else:
            # Whatever a create or a publish returns (a model instance, say) is no refusal.
            granted = bool(answer) or asked.operation not in FENCED
        return history.Returned(self.now, asked.call, Answer.ACCEPTED if granted else Answer.REFUSED, attempt)

    def _bury(self, actor: str, job: str, where: str) -> None:
        if actor in self.workers:
            self.kill(actor, where)
        elif actor == "publisher":
            self.lose_publication(job)

    def lose_publication(self, job: str) -> None:
        """Record that the process which was to publish ``job`` is dead."""
        self.to_publish.pop(job, None)
        self.record(history.PublicationLost(self.now, job))

    def _observe(self, call: int, by_autocommit: bool = False) -> None:
        with self.lane.looking():
            changes = self._observer.changes(self.jobs)
        if changes is None:
            return
        if by_autocommit:
            self.record(history.Committed(self.now, call))
        self.record(history.Observed(self.now, call, *changes))


def _ends_the_run(error: BaseException) -> bool:
    """Return whether an error in a call is Ctrl-C, or ends the call from outside."""
    # greenlet ends one that is collected by GreenletExit, and need not be installed.
    return isinstance(error, (KeyboardInterrupt, EndOfExample)) or type(error).__name__ == "GreenletExit"


def _said(error: BaseException) -> str:
    """Return the error's message without PostgreSQL's DETAIL: keys and process ids differ in each run.

    It is cut at :data:`MOST_SAID` characters, and then says so: it is kept in the history.
    """
    said = str(error).partition("\nDETAIL: ")[0]
    return said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}… (cut, of {len(said)} characters)"
