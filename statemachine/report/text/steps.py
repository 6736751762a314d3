"""A history as a table: one line a step, one column a worker, and the row that the step left behind.

It shows what the events say and infers nothing; a worker is drawn as working from the answer that
gave it a lease to the one that ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.history.in_flight import Flights
from statemachine.history.ledger import Ledger
from statemachine.lifecycle import Answer, JobRow, Lifecycle, Operation
from statemachine.report.text.columns import TOGETHER
from statemachine.report.text.paper import WIDE, Paper
from statemachine.report.text.phrases import destination, undertaken
from statemachine.report.text.sheet import Line, Sheet
from statemachine.report.text.turns import Turn, beginning, turn_of
from statemachine.world.workers import WORKERS

_HEAD, _TAIL = 24, 12
_IDLE = "· "
"""Before what a worker is in the middle of while somebody else acts."""

_TOLD_BY_THE_QUEUE = (Operation.RECEIVE, Operation.ACKNOWLEDGE)


@dataclass(slots=True)
class _Line:
    step: int
    at: float
    did: str = ""
    workers: dict[str, str] = field(default_factory=dict)
    rows: tuple[JobRow, ...] = ()
    gone: tuple[str, ...] = ()
    quiet: str = ""
    failing: bool = False
    since: int = 0
    turn: Turn | None = None
    sent: list[str] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The step, or the first and the last of those that this line tells of."""
        if not self.step:
            return ""
        return f"{self.since}-{self.step}" if self.since else str(self.step)

    def spelt(self, paper: Paper) -> Line:
        """The cells of the line, in characters that ``paper`` shows."""
        return Line(
            number=self.number,
            at="" if self.quiet else f"{self.at:g}",
            did=_unparted(paper.spelt(self.did), paper),
            workers={worker: paper.spelt(text) for worker, text in self.workers.items() if text},
            rows=tuple(paper.spelt(text) for text in _shown(self, _row)),
            short_rows=tuple(paper.spelt(text) for text in _shown(self, short_row)),
            quiet=paper.spelt(self.quiet),
            failing=self.failing,
        )


def table(
    lifecycle: Lifecycle, events: Sequence[Event], failing_step: int | None, paper: Paper = WIDE
) -> list[str]:
    """The lines of the table, header first, each two columns narrower than ``paper``: reports indent it."""
    lines = _shortened(_merge(list(_lines(lifecycle, events, failing_step))))
    workers = [worker for worker in WORKERS if any(worker in line.workers for line in lines)]
    return Sheet([line.spelt(paper) for line in lines], workers, paper).text()


def _shortened(lines: list[_Line]) -> list[_Line]:
    """At most a screenful: a drain that goes in circles takes hundreds of steps to say so."""
    left_out = len(lines) - _HEAD - _TAIL
    if left_out <= 1:
        return lines
    gap = _Line(0, 0, quiet=f"{left_out} lines left out; history.ndjson has them")
    return [*lines[:_HEAD], gap, *lines[-_TAIL:]]


def _shown(line: _Line, describe: Callable[[JobRow], str]) -> list[str]:
    return [*map(describe, line.rows), *(f"{job} gone" for job in line.gone)]


def _unparted(did: str, paper: Paper) -> str:
    """An event that is folded keeps an arrow with its target and an attempt with its number."""
    for word in (paper.spelt("→"), "attempt"):
        did = did.replace(f"{word} ", f"{word}{TOGETHER}")
    return did


def _merge(lines: list[_Line]) -> list[_Line]:
    """A delivery and the prepare that follows it at once are one line, with the numbers of both."""
    merged: list[_Line] = []
    for line in lines:
        last = merged[-1] if merged else None
        acts = [worker for worker, text in line.workers.items() if text.startswith("prepare")]
        begins = last and acts and acts[0] not in last.workers and last.did.endswith(f"→ {acts[0]}")
        if last and begins and last.at == line.at and not line.did:
            line.did, line.since = last.did, last.step
            merged[-1] = line
        else:
            merged.append(line)
    return merged


def _lines(lifecycle: Lifecycle, events: Iterable[Event], failing_step: int | None) -> Iterator[_Line]:
    ledger, flights = Ledger(lifecycle), Flights()
    line: _Line | None = None
    for event in events:
        if line is not None and isinstance(event, StepBegan | history.DrainBegan):
            yield _whole(line, flights)
            line = None
        ledger.apply(event)
        flights.apply(event)
        if isinstance(event, history.DrainBegan):
            yield _Line(0, event.at, quiet="drain: faults stop, time moves on, workers work")
        elif isinstance(event, StepBegan):
            line = _Line(event.step, event.at, failing=event.step == failing_step)
            _show_working(ledger, flights, line)
            line.quiet, line.did = destination(event), undertaken(event)
            line.turn = turn_of(event, flights)
        elif line is not None:
            if line.turn is not None:
                line.turn.take(event, flights)
            _show(ledger, flights, event, line)
    if line is not None:
        yield _whole(line, flights)


def _whole(line: _Line, flights: Flights) -> _Line:
    """The line, with what can only be said of an operation when its step is over."""
    if line.turn is not None:
        line.turn.sent += line.sent
        _put(line, line.turn.flight.by, line.turn.text())
    for flight in flights.begun_in(line.step):
        sent = f"; sends {', '.join(line.sent)}" if line.sent else ""
        _put(line, flight.by, f"{beginning(flight)}{sent}")
    return line


def _put(line: _Line, by: str, text: str) -> None:
    if by not in WORKERS:
        line.did = f"{by}: {text}"
        return
    did = line.workers.get(by, "")
    line.workers[by] = f"{did}; {text}" if did and not did.startswith(_IDLE) else text


def _show_working(ledger: Ledger, flights: Flights, line: _Line) -> None:
    for worker, delivery in ledger.deliveries.items():
        if delivery.attempt is not None:
            line.workers[worker] = f"{_IDLE}working"
    for by, flight in flights.open.items():
        if by in WORKERS:
            line.workers[by] = f"{_IDLE}{flight.standing}"


def _show(ledger: Ledger, flights: Flights, event: Event, line: _Line) -> None:
    match event:
        case history.ClockMoved():
            where = f": {line.quiet}" if line.quiet else ""
            line.quiet = f"{event.at - event.since:g} s pass{where}, now {event.at:g}"
        case history.Sent():
            line.sent.append(_message(event))
            line.did += " → " if event.forged or line.did == "sweep" else ", " if line.did else "publish → "
            line.did += _message(event)
        case history.Delivered():
            line.did = f"{'duplicate' if event.duplicate else 'deliver'} {event.message} → {event.worker}"
        case history.DeadLettered():
            line.did = f"{event.message} → DLQ"
        case history.Redriven():
            line.did = f"redrive {event.message} as {event.renewed}"
        case history.MessageCameBack():
            line.did = f"{event.message} comes back"
        case history.DeleteRequested():
            line.workers[event.worker] = "delete" if event.effective else "delete (no effect)"
        case history.LockGranted():
            waited = flights.of(event.call)
            if waited is not None and waited.by in WORKERS:
                line.workers[waited.by] = f"{_IDLE}{waited.standing}"
        case history.Killed() if line.turn is None:
            before = line.workers.get(event.worker, "").removeprefix(f"{_IDLE}working")
            line.workers[event.worker] = f"{before} KILLED".strip()
        case history.Returned() | history.Raised() | history.Unknown():
            _show_answer(ledger, event, line)
        case history.Observed():
            line.rows, line.gone = event.rows, event.gone


def _show_answer(
    ledger: Ledger, event: history.Returned | history.Raised | history.Unknown, line: _Line
) -> None:
    asked = ledger.calls[event.call].invoked
    if isinstance(event, history.Returned) and asked.operation in _TOLD_BY_THE_QUEUE:
        return
    if isinstance(event, history.Returned):
        answer = "ok" if event.answer is Answer.ACCEPTED else str(event.answer)
    elif isinstance(event, history.Raised):
        answer = "IntegrityError" if event.error.startswith("IntegrityError") else "error"
    else:
        answer = "" if event.reason == "killed" else "lost"
    if line.turn is not None:
        line.turn.answer = f"{asked.operation} {answer}".strip() if answer else ""
    elif asked.actor in WORKERS:
        line.workers[asked.actor] = f"{asked.operation} {answer}".rstrip()
    elif asked.actor == "stray":
        token = "" if asked.attempt is None else f", attempt {asked.attempt}"
        line.did = f"stray {asked.operation}({asked.job}{token}) as {asked.tenant}: {answer}"
    elif answer not in ("ok", ""):
        line.did += f": {answer}"


def _message(event: history.Sent) -> str:
    return f"{event.message} (hidden for {event.delay:g} s)" if event.delay else event.message


def _row(row: JobRow) -> str:
    parts = [row.job, row.status]
    if row.attempt:
        parts.append(f"attempt {row.attempt}")
    if row.lease_expires_at is not None:
        parts.append(f"lease→{row.lease_expires_at:g}")
    if row.results:
        parts.append("1 result" if row.results == 1 else f"{row.results} results")
    return " ".join(parts)


def short_row(row: JobRow) -> str:
    """``j1 RUNNING #2 →7080``: status, attempt, and the second at which the lease ends."""
    attempt = f" #{row.attempt}" if row.attempt else ""
    lease = "" if row.lease_expires_at is None else f" →{row.lease_expires_at:g}"
    return f"{row.job} {row.status}{attempt}{lease}"
