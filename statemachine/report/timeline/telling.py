"""The fold of events into the moments of a page.

Whatever a step did is said in the column of whom it concerns; a step of which no event tells anything is
told by its own name and arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.in_flight import Flight, Flights
from statemachine.history.ledger import CallFacts, Ledger
from statemachine.history.legality import LEASE_EXPIRED, SUPERSEDED
from statemachine.history.words import exact
from statemachine.lifecycle import ACQUISITIONS, FENCED, MESSAGE_STEPS, Answer, Lifecycle
from statemachine.report.text.phrases import destination, undertaken
from statemachine.report.text.turns import Turn, beginning, turn_of
from statemachine.report.timeline.bars import Bars
from statemachine.report.timeline.flying import FlightBars
from statemachine.report.timeline.moments import Mark, Moment, Quiet, Said

_OFFICES = ("application", "publisher", "sweep", "stray")
"""Actors that are no workers: they share the application's column."""

_LONGEST_ERROR = 160


def moments(lifecycle: Lifecycle, events: Iterable[Event], failing_step: int | None = None) -> list[Moment]:
    """The moments of a history in their order; ``failing_step`` is the one to be marked."""
    telling = _Telling(lifecycle, failing_step)
    for event in events:
        telling.take(event)
    telling.end_moment()
    return telling.told


class _Telling:
    """Takes events one by one; ``told`` has the moments that are over."""

    def __init__(self, lifecycle: Lifecycle, failing_step: int | None) -> None:
        self.ledger = Ledger(lifecycle)
        self.failing_step = failing_step
        self.told: list[Moment] = []
        self._moment: Moment | None = None
        self._bars = Bars(self.ledger)
        self._flights = Flights()
        self._flight_bars = FlightBars(self._flights)
        self._turn: Turn | None = None
        self._calls: dict[int, Said] = {}
        self._place = ""
        self._words: Said | None = None
        self._folds: dict[type[Event], Callable[[Moment, Any], None]] = {
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
            history.DeadLettered: lambda moment, event: _queue(moment, f"{event.message} → DLQ"),
            history.Redriven: lambda moment, event: _queue(
                moment, f"{event.message} redriven as {event.renewed}"
            ),
            history.MessageCameBack: lambda moment, event: _queue(moment, f"{event.message} comes back"),
        }

    def take(self, event: Event) -> None:
        """Add ``event`` to its moment, or begin one with it."""
        if isinstance(event, history.StepBegan | history.DrainBegan | history.DrainEnded):
            self.end_moment()
            self._moment = self._begun(event)
        self.ledger.apply(event)
        self._flights.apply(event)
        self._bars.take(event)
        if isinstance(event, history.StepBegan) and self._moment is not None:
            self._turn = turn_of(event, self._flights)
            if self._turn is not None:
                self._say(self._moment, self._turn.flight)
        elif self._turn is not None:
            self._turn.take(event, self._flights)
        fold = self._folds.get(type(event))
        if self._moment is not None and fold is not None:
            fold(self._moment, event)

    def end_moment(self) -> None:
        """The moment under way, if there is one, is over."""
        moment, self._moment = self._moment, None
        if moment is None:
            return
        self._end_turns(moment)
        moment.worker_bars, moment.lease_bars = self._bars.end_moment()
        moment.flight_bars = self._flight_bars.end_moment()
        if moment.is_silent:
            given = ", ".join(f"{name} {value}" for name, value in moment.arguments.items())
            moment.application.append(Said(f"{moment.operation} {given}".strip()))
        self.told.append(moment)

    def _say(self, moment: Moment, flight: Flight) -> Said:
        """Begin to say something of an operation in flight, in the column of who makes it."""
        said = self._calls[flight.invoked.call] = Said("")
        office = flight.invoked.actor in _OFFICES
        (moment.application if office else moment.workers.setdefault(flight.by, [])).append(said)
        return said

    def _end_turns(self, moment: Moment) -> None:
        """What can only be said of an operation in flight when its step is over."""
        turn, self._turn = self._turn, None
        if turn is not None:
            said = self._calls[turn.flight.invoked.call]
            # The mark of a death says the word.
            said.text = _by(turn.flight, turn.text(killed=""))
            said.marks += [Mark.KILL] if turn.death else []
        for flight in self._flights.begun_in(moment.step) if moment.step else ():
            said = self._calls.get(flight.invoked.call) or self._say(moment, flight)
            said.text = _by(flight, beginning(flight))

    def _begun(self, event: history.StepBegan | history.DrainBegan | history.DrainEnded) -> Moment:
        if isinstance(event, history.DrainBegan):
            return Moment(0, event.at, banner="Drain: faults stop, time moves on, workers work")
        if isinstance(event, history.DrainEnded):
            how = f"stuck: {event.stuck}" if event.stuck else "all is quiet"
            return Moment(0, event.at, banner=f"The drain ends: {how}")
        self._place, text = destination(event), undertaken(event)
        self._words = Said(text) if text else None
        return Moment(
            event.step,
            event.at,
            event.operation,
            event.arguments,
            failing=event.step == self.failing_step,
            drain=event.drain,
            application=[self._words] if self._words is not None else [],
        )

    # -- time -------------------------------------------------------------------------------

    def _clock_moved(self, moment: Moment, event: history.ClockMoved) -> None:
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
        moment.quiet = Quiet(event.since, event.at, self._place, sorted(passed))

    # -- calls ------------------------------------------------------------------------------

    def _invoked(self, moment: Moment, event: history.Invoked) -> None:
        if event.operation in MESSAGE_STEPS:
            return
        if event.actor not in _OFFICES:
            said = Said(str(event.operation))
            moment.workers.setdefault(event.actor, []).append(said)
        elif self._words is not None:
            # The step's own words stand for the first call that it makes.
            said, self._words = self._words, None
        else:
            said = Said(_named(event))
            moment.application.append(said)
        self._calls[event.call] = said

    def _fault_struck(self, moment: Moment, event: history.FaultStruck) -> None:
        call, fault = self.ledger.calls[event.call], event.fault.replace("_", " ")
        if not fault.startswith("kill "):
            self._add(moment, call, fault, Mark.FAULT)
        elif self._turn is not None:
            return
        elif call.invoked.actor in _OFFICES:
            self._add(moment, call, fault.removeprefix("kill "), Mark.KILL)
        # A worker's death is an event of its own, which knows its place in the delivery.

    def _returned(self, moment: Moment, event: history.Returned) -> None:
        call = self.ledger.calls[event.call]
        said = self._calls.get(event.call)
        if said is None:
            return
        said.marks = [*_marks(call, event.answer), *said.marks]
        if self._turn is not None:
            told = f"attempt {event.attempt}" if event.attempt is not None else event.answer
            self._turn.answer = f"{call.invoked.operation}: {told}"
        elif call.invoked.actor not in _OFFICES or event.answer is not Answer.ACCEPTED:
            said.text += f" → {f'attempt {event.attempt}' if event.attempt is not None else event.answer}"
        elif call.invoked.actor == "stray":
            said.text += f" → {event.answer}"

    def _raised(self, moment: Moment, event: history.Raised) -> None:
        call, error = self.ledger.calls[event.call], event.error
        if call.faults:  # it only says that it is ours
            error = error.partition(":")[0]
        elif len(error) > _LONGEST_ERROR:
            error = f"{error[:_LONGEST_ERROR]}…"
        self._add(moment, call, f"raises {error}")

    def _unknown(self, moment: Moment, event: history.Unknown) -> None:
        call = self.ledger.calls[event.call]
        said = self._calls.get(event.call)
        if said is not None:
            said.marks = [*_marks(call, None), *said.marks]
        if event.reason != "killed" and (said is None or not said.text.endswith(event.reason)):
            self._add(moment, call, event.reason)

    def _add(self, moment: Moment, call: CallFacts, text: str, *marks: Mark) -> None:
        """Say more of a call, or begin with it if nothing was said of that yet."""
        said, invoked = self._calls.get(call.invoked.call), call.invoked
        if said is None:
            said = self._calls[invoked.call] = Said(str(invoked.operation))
            office = invoked.actor in _OFFICES
            (moment.application if office else moment.workers.setdefault(invoked.actor, [])).append(said)
        said.marks += marks
        if self._turn is None:
            said.text += f"; {text}"
        elif not marks:
            self._turn.answer = f"{invoked.operation}: {text}"

    def _observed(self, moment: Moment, event: history.Observed) -> None:
        seen = {row.job: row for row in (*moment.rows, *event.rows)}
        moment.rows, moment.gone = tuple(seen.values()), (*moment.gone, *event.gone)
        for row in event.rows:
            holder = self.ledger.holders.get(row.job)
            if holder is not None and holder.expires_at != row.lease_expires_at:
                moment.declared[row.job] = holder.expires_at

    # -- processes and messages -------------------------------------------------------------

    def _killed(self, moment: Moment, event: history.Killed) -> None:
        if self._turn is not None:
            return  # which knows the statement
        where = event.boundary.replace("_", " ")
        moment.workers.setdefault(event.worker, []).append(Said(where, [Mark.KILL]))

    def _publication_lost(self, moment: Moment, event: history.PublicationLost) -> None:
        if Mark.KILL not in moment.marks and self._turn is None:
            moment.application = [Said(f"publisher of {event.job}", [Mark.KILL])]

    def _sent(self, moment: Moment, event: history.Sent) -> None:
        about = f" for {event.job}" if event.job else ", not readable"
        later = f", hidden for {exact(event.delay)} s" if event.delay else ""
        _queue(moment, f"{event.message}{about}{later}")

    def _delivered(self, moment: Moment, event: history.Delivered) -> None:
        count = f"receive {event.receive_count}, hidden until {exact(event.visible_at)}"
        marks = [Mark.DUPLICATE] if event.duplicate else []
        moment.queue.append(Said(f"{event.message} → {event.worker}; {count}", marks))
        moment.workers.setdefault(event.worker, []).append(Said(f"receives {event.message}"))

    def _delete_requested(self, moment: Moment, event: history.DeleteRequested) -> None:
        moment.workers.setdefault(event.worker, []).append(Said(f"deletes {event.message}"))
        _queue(moment, f"{event.message} deleted" if event.effective else f"{event.message} stays: no effect")

    def _visibility_changed(self, moment: Moment, event: history.VisibilityChanged) -> None:
        moment.workers.setdefault(event.worker, []).append(Said(f"changes visibility of {event.message}"))
        until = f"hidden until {exact(event.visible_at)}" if event.effective else "no effect"
        _queue(moment, f"{event.message} {until}")


def _queue(moment: Moment, text: str) -> None:
    moment.queue.append(Said(text))


def _by(flight: Flight, text: str) -> str:
    return f"{flight.by}: {text}" if flight.invoked.actor in _OFFICES else text


def _named(event: history.Invoked) -> str:
    """A call as its own words: ``stray complete(j1, attempt 2) as t1``."""
    if event.actor != "stray":
        return f"{event.operation} {event.job}".strip()
    token = "" if event.attempt is None else f", attempt {event.attempt}"
    return f"stray {event.operation}({event.job}{token}) as {event.tenant}"


def _marks(call: CallFacts, answer: Answer | None) -> list[Mark]:
    """What kind of a call it was, by the state that it found, or that its commit found if it wrote."""
    question, cell = call.wrote or call.rulings[0]
    running = question.row is not None and question.row.status == question.lifecycle.running
    if call.invoked.operation in ACQUISITIONS:
        acquired = call.wrote is not None or answer is Answer.ACCEPTED
        return [Mark.TAKEOVER] if running and acquired else []
    if call.invoked.operation in FENCED:
        return {SUPERSEDED: [Mark.STALE], LEASE_EXPIRED: [Mark.LATE]}.get(cell.situation, [])
    return []
