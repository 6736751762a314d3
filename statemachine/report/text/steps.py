"""A history as a table: one line a step, one column a worker, and the job row that the step left.

It shows what the events say and infers nothing.  A worker is shown as working from the answer that gave it
a lease to the answer that ends it: that it was stuck or dead meanwhile, no event says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.history.words import counted, exact
from statemachine.lifecycle import Answer, JobRow, Lifecycle, Operation
from statemachine.report.text.columns import TOGETHER
from statemachine.report.text.paper import WIDE, Paper
from statemachine.report.text.phrases import (
    DRAIN,
    HistorySoFar,
    action_of,
    beginning,
    call_text,
    destination,
)
from statemachine.report.text.sheet import Sheet, TableLine
from statemachine.world.workers import WORKERS

_HEAD, _TAIL = 24, 12
"""Lines that are shown of a long table; those between them are left out."""

_IDLE = "· "
"""Before what a worker is in the middle of while another one acts."""

_SHOWN_AS_EVENTS = (Operation.RECEIVE, Operation.ACKNOWLEDGE)
"""Operations whose answers need no words: the queue's events show them."""


@dataclass(slots=True)
class _Draft:
    """A line of the table while its step lasts."""

    step: int
    at: float
    did: str = ""
    workers: dict[str, str] = field(default_factory=dict)
    rows: tuple[JobRow, ...] = ()

    gone: tuple[str, ...] = ()
    """The jobs whose rows have disappeared."""

    rule: str = ""
    failing: bool = False

    since: int = 0
    """The first step of the line, if it shows two steps."""

    sent: list[str] = field(default_factory=list)
    """The messages that were sent in this step."""

    @property
    def number(self) -> str:
        """The number of the step, or those of the first and last: ``3-4``."""
        if not self.step:
            return ""
        return f"{self.since}-{self.step}" if self.since else str(self.step)

    def spelt(self, paper: Paper) -> TableLine:
        """Return the finished line in characters that ``paper`` shows."""
        return TableLine(
            number=self.number,
            at="" if self.rule else exact(self.at),
            did=_kept_together(paper.cell(self.did), paper),
            workers={worker: paper.cell(text) for worker, text in self.workers.items() if text},
            rows=tuple(paper.cell(text) for text in _shown(self, _row)),
            short_rows=tuple(paper.cell(text) for text in _shown(self, short_row)),
            rule=paper.spelt(self.rule),
            failing=self.failing,
        )


def table(
    lifecycle: Lifecycle, events: Sequence[Event], failing_step: int | None, paper: Paper = WIDE
) -> list[str]:
    """Return the lines of the table, header first, two columns narrower than ``paper``: reports indent it."""
    lines = _shortened(_merge(list(_lines(lifecycle, events, failing_step))))
    workers = [worker for worker in WORKERS if any(worker in line.workers for line in lines)]
    return Sheet([line.spelt(paper) for line in lines], workers, paper).text()


def _shortened(lines: list[_Draft]) -> list[_Draft]:
    """Leave out the middle of a table that fills more than a screen, as that of an endless drain does."""
    left_out = len(lines) - _HEAD - _TAIL
    if left_out <= 1:
        return lines
    gap = _Draft(0, 0, rule=f"{left_out} lines left out; history.ndjson has them")
    return [*lines[:_HEAD], gap, *lines[-_TAIL:]]


def _shown(line: _Draft, describe: Callable[[JobRow], str]) -> list[str]:
    return [*map(describe, line.rows), *(f"{job} gone" for job in line.gone)]


def _kept_together(did: str, paper: Paper) -> str:
    """Join an arrow to its target and ``attempt`` to its number, so that folding cannot part them."""
    for word in (paper.spelt("→"), "attempt"):
        did = did.replace(f"{word} ", f"{word}{TOGETHER}")
    return did


def _merge(lines: list[_Draft]) -> list[_Draft]:
    """Show a delivery and the prepare that follows it at once in one line, with the numbers of both."""
    merged: list[_Draft] = []
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


def _lines(lifecycle: Lifecycle, events: Iterable[Event], failing_step: int | None) -> Iterator[_Draft]:
    so_far = HistorySoFar(lifecycle)
    line: _Draft | None = None
    for event in events:
        if line is not None and isinstance(event, StepBegan | history.DrainBegan):
            yield _finished(line, so_far)
            line = None
        so_far.take(event)
        if isinstance(event, history.DrainBegan):
            yield _Draft(0, event.at, rule=DRAIN)
        elif isinstance(event, StepBegan):
            line = _Draft(event.step, event.at, failing=event.step == failing_step)
            _show_working(so_far, line)
            line.rule, line.did = destination(event), action_of(event)
        elif line is not None:
            _show(so_far, event, line)
    if line is not None:
        yield _finished(line, so_far)


def _finished(line: _Draft, so_far: HistorySoFar) -> _Draft:
    """Add what can only be said of operations in flight when the step is over."""
    turn = so_far.turn
    if turn is not None:
        turn.sent += line.sent
        _put(line, turn.flight.by, turn.text())
    for flight in so_far.flights.begun_in(line.step):
        sent = f"; sends {', '.join(line.sent)}" if line.sent else ""
        _put(line, flight.by, f"{beginning(flight)}{sent}")
    return line


def _put(line: _Draft, by: str, text: str) -> None:
    if by not in WORKERS:
        line.did = f"{by}: {text}"
        return
    did = line.workers.get(by, "")
    # What the worker does in this step replaces what it was in the middle of before.
    line.workers[by] = f"{did}; {text}" if did and not did.startswith(_IDLE) else text


def _show_working(so_far: HistorySoFar, line: _Draft) -> None:
    for worker, delivery in so_far.ledger.deliveries.items():
        if delivery.attempt is not None:
            line.workers[worker] = f"{_IDLE}working"
    for by, flight in so_far.flights.open.items():
        if by in WORKERS:
            line.workers[by] = f"{_IDLE}{flight.standing}"


def _show(so_far: HistorySoFar, event: Event, line: _Draft) -> None:
    match event:
        case history.ClockMoved():
            where = f": {line.rule}" if line.rule else ""
            line.rule = f"{exact(event.at - event.since)} s pass{where}, now {exact(event.at)}"
        case history.Sent():
            line.sent.append(_message(event))
            line.did = _with_message(line.did, event)
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
            waited = so_far.flights.of(event.call)
            if waited is not None and waited.by in WORKERS:
                line.workers[waited.by] = f"{_IDLE}{waited.standing}"
        case history.Killed() if so_far.turn is None:
            # A worker that dies after a call has that call in its cell already: "prepare KILLED".
            before = line.workers.get(event.worker, "").removeprefix(f"{_IDLE}working")
            line.workers[event.worker] = f"{before} KILLED".strip()
        case history.Returned() | history.Raised() | history.Unknown():
            _show_answer(so_far, event, line)
        case history.Observed():
            line.rows, line.gone = event.rows, event.gone


def _show_answer(
    so_far: HistorySoFar, event: history.Returned | history.Raised | history.Unknown, line: _Draft
) -> None:
    asked = so_far.ledger.calls[event.call].invoked
    if isinstance(event, history.Returned) and asked.operation in _SHOWN_AS_EVENTS:
        return
    if isinstance(event, history.Returned):
        answer = "ok" if event.answer is Answer.ACCEPTED else str(event.answer)
    elif isinstance(event, history.Raised):
        # A refusal by the database's own constraints differs from a fault, so it is named.
        answer = "IntegrityError" if event.error.startswith("IntegrityError") else "error"
    else:
        answer = "" if event.reason == "killed" else "lost"
    if so_far.turn is not None:
        so_far.turn.answer = f"{asked.operation} {answer}".strip() if answer else ""
    elif asked.actor in WORKERS:
        line.workers[asked.actor] = f"{asked.operation} {answer}".rstrip()
    elif asked.actor == "stray":
        line.did = f"stray {call_text(asked)}: {answer}"
    elif answer not in ("ok", ""):
        line.did += f": {answer}"


def _with_message(did: str, event: history.Sent) -> str:
    """Return ``publish → m2``, ``sweep → m3, m4``: the event of a line with one more message."""
    message = _message(event)
    if not did:
        return f"publish → {message}"
    return f"{did} → {message}" if event.forged or did == "sweep" else f"{did}, {message}"


def _message(event: history.Sent) -> str:
    return f"{event.message} (hidden for {exact(event.delay)} s)" if event.delay else event.message


def _row(row: JobRow) -> str:
    parts = [row.job, row.status]
    if row.attempt:
        parts.append(f"attempt {row.attempt}")
    if row.lease_expires_at is not None:
        parts.append(f"lease→{exact(row.lease_expires_at)}")
    if row.results:
        parts.append(counted(row.results, "result"))
    return " ".join(parts)


def short_row(row: JobRow) -> str:
    """Return ``j1 RUNNING #2 →7080``: status, attempt, and the second at which the lease ends."""
    attempt = f" #{row.attempt}" if row.attempt else ""
    lease = "" if row.lease_expires_at is None else f" →{exact(row.lease_expires_at)}"
    return f"{row.job} {row.status}{attempt}{lease}"
