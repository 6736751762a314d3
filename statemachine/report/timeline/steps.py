"""The steps of a history as the page draws them: what each column says, and how the bars run.

What a step did stands in the column of the actor or queue that it concerns; a step of which no event says
anything is shown by its name and arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.in_flight import Flight
from statemachine.history.ledger import CallFacts
from statemachine.history.legality import LEASE_EXPIRED, SUPERSEDED
from statemachine.history.words import exact
from statemachine.lifecycle import ACQUISITIONS, FENCED, MESSAGE_STEPS, Answer, JobRow, Lifecycle
from statemachine.report.text.phrases import (
    DRAIN,
    HistorySoFar,
    Turn,
    action_of,
    beginning,
    call_text,
    destination,
)
from statemachine.report.timeline.bars import Bar, Bars, FlightBars
from statemachine.report.timeline.marks import Mark

_OFFICES = ("application", "publisher", "sweep", "stray")
"""Actors that are no workers: they share the application's column."""

_LONGEST_ERROR = 160


@dataclass(slots=True)
class CellText:
    """One line of a cell, with the marks that stand before it."""

    text: str
    marks: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class TimePassed:
    """Time that passes at once in one step, in seconds."""

    since: float
    until: float

    destination: str
    """The deadline to which the time was moved: ``exactly to the lease edge of j1``, or empty."""

    passed: list[tuple[float, str]]
    """The deadlines on the way, each with its second."""


@dataclass(slots=True)
class TimelineStep:
    """One step, or a banner between steps."""

    step: int
    """Its number; 0 for a banner."""

    at: float
    operation: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    banner: str = ""
    """A sentence across all columns, in place of everything else."""

    failing: bool = False
    drain: bool = False
    time_passed: TimePassed | None = None
    application: list[CellText] = field(default_factory=list)
    queue: list[CellText] = field(default_factory=list)
    workers: dict[str, list[CellText]] = field(default_factory=dict)
    rows: tuple[JobRow, ...] = ()

    gone: tuple[str, ...] = ()
    """The jobs whose rows have disappeared."""

    declared: dict[str, float] = field(default_factory=dict)
    """When the lease of a job ends by the lifecycle, in seconds, if its row says otherwise."""

    worker_bars: dict[str, Bar] = field(default_factory=dict)
    lease_bars: dict[int, Bar] = field(default_factory=dict)
    """By track, counted from 0 on the left."""

    flight_bars: dict[str, Bar] = field(default_factory=dict)

    @property
    def marks(self) -> Iterator[Mark]:
        """All marks of the step."""
        for cell in (self.application, self.queue, *self.workers.values()):
            for line in cell:
                yield from line.marks

    @property
    def is_silent(self) -> bool:
        """Whether no column says anything."""
        said = self.banner or self.time_passed or self.application or self.queue or self.workers or self.rows
        return not said

    def column_of(self, actor: str, name: str = "") -> list[CellText]:
        """Return the column of ``actor``; a worker is called ``name`` there if that is given."""
        return self.application if actor in _OFFICES else self.workers.setdefault(name or actor, [])


def timeline_steps(
    lifecycle: Lifecycle, events: Iterable[Event], failing_step: int | None = None
) -> list[TimelineStep]:
    """Return the steps of a history in their order; ``failing_step`` is the number of the one to mark."""
    builder = _Builder(lifecycle, failing_step)
    for event in events:
        builder.take(event)
    builder.end_step()
    return builder.ended


class _Builder:
    """Takes events one by one; ``ended`` has the steps that are over."""

    def __init__(self, lifecycle: Lifecycle, failing_step: int | None) -> None:
        self.failing_step = failing_step
        self.ended: list[TimelineStep] = []
        self._so_far = HistorySoFar(lifecycle)
        self.ledger = self._so_far.ledger
        self._bars = Bars(self.ledger)
        self._flight_bars = FlightBars(self._so_far.flights)
        self._step: TimelineStep | None = None
        self._destination = ""
        # The line of each call, by its number: its answer, marks and faults are added to it.
        self._calls: dict[int, CellText] = {}
        # The step's own words, until a call takes them as its line.
        self._action: CellText | None = None
        self._folds: dict[type[Event], Callable[[TimelineStep, Any], None]] = {
            history.ClockMoved: self._clock_moved,
            history.Invoked: self._invoked,
            history.FaultStruck: self._fault_struck,
            history.Observed: self._observed,
            history.Returned: self._returned,
            history.Raised: self._raised,
            history.Unknown: self._unknown,
            history.Killed: self._killed,
            history.PublicationLost: self._publication_lost,
            history.Sent: self._sent,
            history.Delivered: self._delivered,
            history.DeleteRequested: self._delete_requested,
            history.VisibilityChanged: self._visibility_changed,
            history.DeadLettered: lambda step, event: _queue(step, f"{event.message} → DLQ"),
            history.Redriven: lambda step, event: _queue(
                step, f"{event.message} redriven as {event.renewed}"
            ),
            history.MessageCameBack: lambda step, event: _queue(step, f"{event.message} comes back"),
        }

    @property
    def _turn(self) -> Turn | None:
        return self._so_far.turn

    def take(self, event: Event) -> None:
        """Add ``event`` to its step, or begin one with it."""
        if isinstance(event, history.StepBegan | history.DrainBegan | history.DrainEnded):
            self.end_step()
            self._step = self._begun(event)
        self._so_far.take(event)
        self._bars.take(event)
        if isinstance(event, history.StepBegan) and self._step is not None and self._turn is not None:
            self._add_line(self._step, self._turn.flight)
        fold = self._folds.get(type(event))
        if self._step is not None and fold is not None:
            fold(self._step, event)

    def end_step(self) -> None:
        """End the step that has begun, if there is one."""
        step, self._step = self._step, None
        if step is None:
            return
        if step.step:
            self._end_turns(step)
        step.worker_bars, step.lease_bars = self._bars.end_step()
        step.flight_bars = self._flight_bars.end_step()
        if step.is_silent:
            given = ", ".join(f"{name} {value}" for name, value in step.arguments.items())
            step.application.append(CellText(f"{step.operation} {given}".strip()))
        self.ended.append(step)

    def _add_line(self, step: TimelineStep, flight: Flight) -> CellText:
        """Add an empty line for an operation in flight; its words come when the step ends."""
        line = self._calls[flight.invoked.call] = CellText("")
        step.column_of(flight.invoked.actor, flight.by).append(line)
        return line

    def _end_turns(self, step: TimelineStep) -> None:
        """Write what can only be said of operations in flight when the step is over."""
        turn = self._turn
        if turn is not None:
            line = self._calls[turn.flight.invoked.call]
            # The mark of a death says the word.
            line.text = _by(turn.flight, turn.text(killed=""))
            line.marks += [Mark.KILL] if turn.death else []
        for flight in self._so_far.flights.begun_in(step.step):
            line = self._calls.get(flight.invoked.call) or self._add_line(step, flight)
            line.text = _by(flight, beginning(flight))

    def _begun(self, event: history.StepBegan | history.DrainBegan | history.DrainEnded) -> TimelineStep:
        if isinstance(event, history.DrainBegan):
            return TimelineStep(0, event.at, banner=DRAIN.capitalize())
        if isinstance(event, history.DrainEnded):
            how = f"stuck: {event.stuck}" if event.stuck else "all is quiet"
            return TimelineStep(0, event.at, banner=f"The drain ends: {how}")
        self._destination, text = destination(event), action_of(event)
        self._action = CellText(text) if text else None
        return TimelineStep(
            event.step,
            event.at,
            event.operation,
            event.arguments,
            failing=event.step == self.failing_step,
            drain=event.drain,
            application=[self._action] if self._action is not None else [],
        )

    # -- time -------------------------------------------------------------------------------

    def _clock_moved(self, step: TimelineStep, event: history.ClockMoved) -> None:
        passed = [
            (holder.expires_at, f"lease of {job}, attempt {holder.attempt}, ends")
            for job, holder in self.ledger.holders.items()
            if event.since < holder.expires_at <= event.at
        ]
        passed += [
            (message.visible_at, f"{message.name} visible again")
            for message in self.ledger.messages.values()
            if message.place == "queue" and event.since < message.visible_at <= event.at
        ]
        step.time_passed = TimePassed(event.since, event.at, self._destination, sorted(passed))

    # -- calls ------------------------------------------------------------------------------

    def _invoked(self, step: TimelineStep, event: history.Invoked) -> None:
        if event.operation in MESSAGE_STEPS:
            return
        if event.actor in _OFFICES and self._action is not None:
            # The step's own words are the line of its first call.
            line, self._action = self._action, None
        else:
            stray = "stray " if event.actor == "stray" else ""
            line = CellText(f"{stray}{call_text(event)}")
            step.column_of(event.actor).append(line)
        self._calls[event.call] = line

    def _fault_struck(self, step: TimelineStep, event: history.FaultStruck) -> None:
        call, fault = self.ledger.calls[event.call], event.fault.replace("_", " ")
        if not fault.startswith("kill "):
            self._add(step, call, fault, Mark.FAULT)
        elif self._turn is None and call.invoked.actor in _OFFICES:
            # The death of a worker is an event of its own, and that of a turn is said when its step ends.
            self._add(step, call, fault.removeprefix("kill "), Mark.KILL)

    def _returned(self, step: TimelineStep, event: history.Returned) -> None:
        call = self.ledger.calls[event.call]
        line = self._calls.get(event.call)
        if line is None:
            return
        line.marks = [*_marks(call, event.answer), *line.marks]
        answer = f"attempt {event.attempt}" if event.attempt is not None else event.answer
        if self._turn is not None:
            self._turn.answer = f"{call.invoked.operation}: {answer}"
        elif call.invoked.actor not in _OFFICES or event.answer is not Answer.ACCEPTED:
            line.text += f" → {answer}"
        elif call.invoked.actor == "stray":
            line.text += f" → {event.answer}"

    def _raised(self, step: TimelineStep, event: history.Raised) -> None:
        call, error = self.ledger.calls[event.call], event.error
        if call.faults:  # after the colon it only says that the verifier planned it
            error = error.partition(":")[0]
        elif len(error) > _LONGEST_ERROR:
            error = f"{error[:_LONGEST_ERROR]}…"
        self._add(step, call, f"raises {error}")

    def _unknown(self, step: TimelineStep, event: history.Unknown) -> None:
        call = self.ledger.calls[event.call]
        line = self._calls.get(event.call)
        if line is not None:
            line.marks = [*_marks(call, None), *line.marks]
        if event.reason != "killed" and (line is None or not line.text.endswith(event.reason)):
            self._add(step, call, event.reason)

    def _add(self, step: TimelineStep, call: CallFacts, text: str, *marks: Mark) -> None:
        """Add ``text`` to the line of a call, and begin that line if there is none yet."""
        line, invoked = self._calls.get(call.invoked.call), call.invoked
        if line is None:
            line = self._calls[invoked.call] = CellText(str(invoked.operation))
            step.column_of(invoked.actor).append(line)
        line.marks += marks
        if self._turn is None:
            line.text += f"; {text}"
        elif not marks:
            self._turn.answer = f"{invoked.operation}: {text}"

    def _observed(self, step: TimelineStep, event: history.Observed) -> None:
        seen = {row.job: row for row in (*step.rows, *event.rows)}
        step.rows, step.gone = tuple(seen.values()), (*step.gone, *event.gone)
        for row in event.rows:
            holder = self.ledger.holders.get(row.job)
            if holder is not None and holder.expires_at != row.lease_expires_at:
                step.declared[row.job] = holder.expires_at

    # -- processes and messages -------------------------------------------------------------

    def _killed(self, step: TimelineStep, event: history.Killed) -> None:
        if self._turn is not None:
            return  # its line names the statement
        where = event.boundary.replace("_", " ")
        step.column_of(event.worker).append(CellText(where, [Mark.KILL]))

    def _publication_lost(self, step: TimelineStep, event: history.PublicationLost) -> None:
        # The fault that killed the publisher has marked the step already, if it struck within a call.
        if Mark.KILL not in step.marks and self._turn is None:
            step.application = [CellText(f"publisher of {event.job}", [Mark.KILL])]

    def _sent(self, step: TimelineStep, event: history.Sent) -> None:
        about = f" for {event.job}" if event.job else ", not readable"
        later = f", hidden for {exact(event.delay)} s" if event.delay else ""
        _queue(step, f"{event.message}{about}{later}")

    def _delivered(self, step: TimelineStep, event: history.Delivered) -> None:
        count = f"receive {event.receive_count}, hidden until {exact(event.visible_at)}"
        marks = [Mark.DUPLICATE] if event.duplicate else []
        step.queue.append(CellText(f"{event.message} → {event.worker}; {count}", marks))
        step.column_of(event.worker).append(CellText(f"receives {event.message}"))

    def _delete_requested(self, step: TimelineStep, event: history.DeleteRequested) -> None:
        step.column_of(event.worker).append(CellText(f"deletes {event.message}"))
        _queue(step, f"{event.message} deleted" if event.effective else f"{event.message} stays: no effect")

    def _visibility_changed(self, step: TimelineStep, event: history.VisibilityChanged) -> None:
        step.column_of(event.worker).append(CellText(f"changes visibility of {event.message}"))
        until = f"hidden until {exact(event.visible_at)}" if event.effective else "no effect"
        _queue(step, f"{event.message} {until}")


def _queue(step: TimelineStep, text: str) -> None:
    step.queue.append(CellText(text))


def _by(flight: Flight, text: str) -> str:
    return f"{flight.by}: {text}" if flight.invoked.actor in _OFFICES else text


def _marks(call: CallFacts, answer: Answer | None) -> list[Mark]:
    """The marks of a call, by the state that its commit found, or that the call found if it wrote nothing."""
    question, cell = call.wrote or call.rulings[0]
    running = question.row is not None and question.row.status == question.lifecycle.running
    if call.invoked.operation in ACQUISITIONS:
        acquired = call.wrote is not None or answer is Answer.ACCEPTED
        return [Mark.TAKEOVER] if running and acquired else []
    if call.invoked.operation in FENCED:
        return {SUPERSEDED: [Mark.STALE], LEASE_EXPIRED: [Mark.LATE]}.get(cell.situation, [])
    return []
