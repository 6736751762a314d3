"""One example: the world, the system under test and the judge, wired together.

:class:`Lane` lives as long as a run, :class:`Example` as long as one history.  An example knows how
to make a call and turn all that comes of it into events; which calls to make is not its business
(``operations/`` says what is possible, the machine or a replay chooses).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from statemachine import bystanders, history
from statemachine.binding import Binding, Delivery
from statemachine.history import Event
from statemachine.invariants import ALL, Invariant, Judge
from statemachine.lifecycle import ACQUISITIONS, FENCED, MESSAGE_STEPS, Answer, Operation
from statemachine.observer import Observer
from statemachine.ports import HandedOver, SystemQueue
from statemachine.reach import Reach
from statemachine.world.clock import Clock
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.faults import STATEMENT_FAILED, Fault, Killed, Strike, stage_of
from statemachine.world.queue import SimulatedQueue
from statemachine.world.workers import WORKERS, Slot


class Lane:
    """A binding on its database, for a whole run.  Enter :meth:`open` before making examples.

    ``clock_skew_seconds`` is how far a worker's clock may be ahead or behind; 0 for clocks that agree.
    """

    def __init__(self, binding: Binding, clock_skew_seconds: int = 0) -> None:
        self.binding = binding
        self.clock_skew_seconds = clock_skew_seconds
        self.clock = Clock()
        self.claims: Sequence[Invariant] = [
            claim
            for claim in ALL
            if claim.name not in binding.waived and (not claim.needs or binding.lifecycle.has(claim.needs))
        ]
        self.faults: ConnectionFaults
        self.current: Example | None = None
        self._settled: str | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Freeze the clock, hook the connection and connect the binding to the world."""
        from django.db import connection

        connection.ensure_connection()
        self.faults = ConnectionFaults(
            connection,
            committed=lambda: self.example.committed(),
            struck=lambda fault: self.example.struck(fault),
        )
        with self.clock.running(), self.faults.installed():
            self.binding.open(SystemQueue(lambda: self.example), HandedOver(lambda: self.example))
            try:
                yield
            except BaseException:
                self.faults.abandon()
                raise
            finally:
                self._reset()
                if self._settled is not None:
                    self.binding.reset(bystanders.BYSTANDERS)

    @property
    def example(self) -> Example:
        if self.current is None:
            raise RuntimeError("the system under test called its queue or publisher outside of an example")
        return self.current

    def begin(self, reach: Reach | None = None) -> Example:
        """A fresh example at second 0, on a database without jobs."""
        self._reset()
        self.clock.move_to(0)
        example = self.current = Example(self, reach)
        if example.count_others() != self._settled:
            example = self.current = self._with_bystanders_as_they_were(reach)
        return example

    def _with_bystanders_as_they_were(self, reach: Reach | None) -> Example:
        """Every example must find the same other rows, or a failure that touches them would not replay."""
        self.binding.reset(bystanders.BYSTANDERS)
        self.current = Example(self, None)
        bystanders.settle(self.binding)
        example = self.current = Example(self, reach)
        self._settled = example.count_others()
        return example

    def _reset(self) -> None:
        if self.current is not None and self.current.jobs:
            self.binding.reset(self.current.jobs)
        self.current = None


class Example:
    """One history in the making; ``events`` is what has happened so far."""

    def __init__(self, lane: Lane, reach: Reach | None) -> None:
        self.binding = lane.binding
        self.lifecycle = lane.binding.lifecycle
        self.faults = lane.faults
        self.clock = lane.clock
        self.clock_skew_seconds = lane.clock_skew_seconds
        self.events: list[Event] = []
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
        self.steps = 0
        self.step_key = 0
        self.draining = False
        self._named_in_step = 0
        self._call = 0
        self._observer = Observer(self.binding)
        self.committed_in_call = False
        self._own_error: Exception | None = None

    @property
    def now(self) -> float:
        return self.clock.now

    @property
    def current_call(self) -> int:
        """The number of the call that is being made, or was made last."""
        return self._call

    def record(self, event: Event) -> None:
        self.events.append(event)
        self.judge.take(event)
        if self.reach is not None:
            self.reach.take(self.ledger, event)

    # -- steps ------------------------------------------------------------------------------

    def begin_step(self, operation: str, arguments: dict[str, Any], key: int | None = None) -> None:
        """``key`` names what the step creates; a replay passes the saved one, so that names survive."""
        self.steps += 1
        self.step_key = key if key is not None else self.step_key + 1
        self._named_in_step = 0
        self.record(history.StepBegan(self.now, self.step_key, operation, arguments, self.draining))

    def next_key(self) -> int:
        return self.step_key + 1

    def new_message(self) -> str:
        """A name for a message that is created in this step."""
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
        """Look at all rows that are not of this example's jobs, if the binding can, and say what was seen."""
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
        """Make one call on the system under test; what it does, and what becomes of it, are events.

        ``run`` returns the attempt number or None (acquisitions), True or False (finishes) or nothing.
        """
        self._call += 1
        call, self.committed_in_call = self._call, False
        self.record(history.Invoked(self.now, call, operation, actor, job, tenant, attempt, payload, message))
        end: history.Returned | history.Raised | history.Unknown
        self.faults.arm(strike, stage_of(operation))
        try:
            with self._clock_of(actor):
                answer = run()
            end = self._answer(operation, answer)
        except Killed:
            end = history.Unknown(self.now, call, "killed")
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever the code under test raises is its answer
            end = history.Raised(self.now, call, f"{type(error).__name__}: {error}")
        except BaseException:  # Ctrl-C: what follows is our own clean-up
            self.faults.disarm()
            raise
        if self.faults.dead:  # also when the code under test caught the kill
            end = history.Unknown(self.now, call, "killed")
        elif Fault.ANSWER_LOST in self.ledger.calls[call].faults and isinstance(end, history.Raised):
            end = history.Unknown(self.now, call, "answer lost")
        if self._own_error is not None:
            self.faults.disarm()
            raise self._own_error
        where, unseen = self.faults.calls.boundary, self._is_unseen(operation)
        self.faults.disarm()
        if unseen:
            self._observe(by_autocommit=True)
        self.record(end)
        if where:
            self._bury(actor, job, where)
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

    def _is_unseen(self, operation: Operation) -> bool:
        """Whether the call that has just ended may have written what no commit of it has shown."""
        if operation in MESSAGE_STEPS and not self.faults.statements:
            return False
        return self.faults.autocommitted or not self.committed_in_call

    def committed(self) -> None:
        """The connection has just committed inside the current call."""
        self.committed_in_call = True
        try:
            self.record(history.Committed(self.now, self._call))
            self._observe()
        except Exception as error:  # noqa: BLE001  an error of ours, or of the binding, is no answer of the system
            self._own_error = error

    def catch_up(self) -> None:
        """See what the current call has written by now without a transaction."""
        if self.faults.autocommitted and not self.faults.in_transaction:
            with self.faults.unwatched():
                self._observe(by_autocommit=True)

    def struck(self, fault: str) -> None:
        if fault == Fault.ERROR_BEFORE_STATEMENT and not self.faults.in_transaction:
            fault = STATEMENT_FAILED
        self.record(history.FaultStruck(self.now, self._call, str(fault)))

    def _answer(self, operation: Operation, answer: Any) -> history.Returned:
        attempt = None
        if operation in ACQUISITIONS:
            attempt = None if answer is None or answer is False else int(answer)
            granted = attempt is not None
        else:
            # Whatever a create or a publish returns (a model instance, say) is no refusal.
            granted = bool(answer) or operation not in FENCED
        return history.Returned(self.now, self._call, Answer.ACCEPTED if granted else Answer.REFUSED, attempt)

    def _bury(self, actor: str, job: str, where: str) -> None:
        if actor in self.workers:
            self.kill(actor, where)
        elif actor == "publisher":
            self.lose_publication(job)

    def lose_publication(self, job: str) -> None:
        """The process that was to publish ``job`` is dead."""
        self.to_publish.pop(job, None)
        self.record(history.PublicationLost(self.now, job))

    def _observe(self, by_autocommit: bool = False) -> None:
        changes = self._observer.changes(self.jobs)
        if changes is None:
            return
        if by_autocommit:
            self.record(history.Committed(self.now, self._call))
        self.record(history.Observed(self.now, self._call, *changes))
