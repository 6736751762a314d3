"""Lines of all workers become one history: calls are paired with answers, and each job's lines put in order.

Jobs are independent of one another, so a job's lines wait only for the answers of that job's calls, and
the search for an order (``search.py``) never sees more than one job.  A log cannot show what a worker did
not write: with one worker's log missing, the others look guilty of what it did.  So the logs of all
workers of a fleet must be given together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.lifecycle import Answer, JobRow, Lifecycle, Operation
from statemachine.logs.calls import Call, JobLine, LineMeaning, WorkerSoFar
from statemachine.logs.jobs import CitedEvent, EventWriter, JobRecord
from statemachine.logs.lines import LogLine, LogPlace
from statemachine.logs.messages import Messages
from statemachine.logs.rules import Rules

AFTER_A_DRAIN = frozenset({"rows.read", "worker.stopping", "worker.stopped", "worker.killed"})
"""Lines that may follow ``drain.ended`` and still belong to the drain; any other line begins new work."""


class Lineariser:
    """Takes lines in the order of their times, and yields events with the line that each comes from."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.counts: Counter[str] = Counter()
        """Lines by event; also what was met on the way, such as ``unexplained`` or ``tangled``."""
        self.jobs: dict[str, JobRecord] = {}
        self.files: dict[str, int] = {}
        """The number of each file, as :attr:`JobRecord.trail` names it."""
        self._workers: dict[str, WorkerSoFar] = {}
        self._messages = Messages(lifecycle)
        # The line drain.ended, kept back until all that belongs to the drain has come.
        self._drained: LogLine | None = None
        # Jobs with held lines: a drain looks at these only, not at all jobs of the log.
        self._busy: dict[str, JobRecord] = {}
        self._writer = EventWriter(Rules(lifecycle), self.counts)
        self._folds: dict[str, Callable[[LogLine], Iterator[CitedEvent]]] = {
            "worker.started": self._worker_started,
            "worker.stopped": self._worker_stopped,
            "worker.killed": self._worker_killed,
            "job.created": self._created,
            "message.sent": self._message,
            "message.received": self._received,
            "prepare.called": self._called,
            "prepare.accepted": self._answered,
            "prepare.refused": self._answered,
            "finish.called": self._called,
            "finish.accepted": self._answered,
            "finish.refused": self._answered,
            "call.raised": self._raised,
            "visibility.extended": self._message,
            "delete.called": self._message,
            "message.dead_lettered": self._message,
            "message.redriven": self._message,
            "drain.began": self._drain_began,
            "drain.ended": self._drain_ended,
            "rows.read": self._rows_read,
        }

    def take(self, line: LogLine) -> Iterator[CitedEvent]:
        """Yield the events that are certain now that ``line`` has come."""
        self.counts[line.event] += 1
        if self._drained is not None and line.event not in AFTER_A_DRAIN:
            yield from self._drain_judged()
        fold = self._folds.get(line.event)
        if fold is not None:
            yield from fold(line)
        self._worker(line).last_at = line.at

    def finish(self) -> Iterator[CitedEvent]:
        """Yield the events of what was still held when the log ended."""
        yield from self._drain_judged()
        for job in self.jobs.values():
            if job.held or job.state.waiting:
                yield from self._writer.close(job)
        self._busy.clear()

    def trail(self, job: str) -> list[LogPlace]:
        """Return the places of the lines about ``job`` so far, in the order of their times."""
        names = list(self.files)
        known = self.jobs.get(job)
        return [LogPlace(names[code >> 32], code & 0xFFFFFFFF) for code in known.trail] if known else []

    # -- jobs and workers -------------------------------------------------------------------

    def _job(self, name: str, line: LogLine) -> JobRecord:
        job = self.jobs.get(name)
        if job is None:
            job = self.jobs[name] = JobRecord(name)
        job.trail.append(self.files.setdefault(line.place.file, len(self.files)) << 32 | line.place.number)
        return job

    def _worker(self, line: LogLine) -> WorkerSoFar:
        worker = self._workers.get(line.worker)
        if worker is None:
            worker = self._workers[line.worker] = WorkerSoFar(line.at)
        return worker

    def _hold(self, job: JobRecord, *items: JobLine) -> Iterator[CitedEvent]:
        """Hold lines of ``job``, and yield the events of all that are held if no answer is missing."""
        job.held += items
        yield from self._release_if_quiet(job)

    def _release_if_quiet(self, job: JobRecord) -> Iterator[CitedEvent]:
        if job.is_quiet():
            yield from self._writer.release(job)
        if job.held:
            self._busy[job.name] = job
        else:
            self._busy.pop(job.name, None)

    def _release_all(self) -> Iterator[CitedEvent]:
        """Yield the events of all held lines, answered or not: what follows looks at all jobs."""
        for job in self._busy.values():
            yield from self._writer.release(job, final=True)
        self._busy.clear()

    def _events(self, name: str, line: LogLine, *events: Event) -> Iterator[CitedEvent]:
        if not name:
            # A message whose body cannot be read names no job, so there is none to wait for.
            yield from (CitedEvent(line, event) for event in events)
            return
        yield from self._hold(self._job(name, line), JobLine(LineMeaning.EVENTS, line, events=events))

    def _end(self, call: Call, at: float, why: str) -> Iterator[CitedEvent]:
        """Note that ``call`` gets no answer."""
        if not call.under_way:
            return
        call.ended_at, call.why = max(at, call.called_at), why
        job = self.jobs[call.job]
        job.under_way -= 1
        yield from self._release_if_quiet(job)

    def _gone(self, name: str, line: LogLine, why: str) -> Iterator[CitedEvent]:
        """End the worker ``name``: its calls get no answer, and it no longer works on its message."""
        worker = self._workers.get(name)
        if worker is None:
            return
        calls, worker.calls = worker.calls, []
        for call in calls:
            yield from self._end(call, line.at, why)
        if worker.job is not None:
            yield from self._events(worker.job, line, history.Killed(line.at, name, why))
            worker.job = None

    def _worker_started(self, line: LogLine) -> Iterator[CitedEvent]:
        yield from self._gone(line.worker, line, "its worker was started again")

    def _worker_stopped(self, line: LogLine) -> Iterator[CitedEvent]:
        yield from self._gone(line.worker, line, "its worker stopped")

    def _worker_killed(self, line: LogLine) -> Iterator[CitedEvent]:
        yield from self._gone(line.fields["killed"], line, line.fields.get("moment", "killed"))

    # -- calls ------------------------------------------------------------------------------

    def _created(self, line: LogLine) -> Iterator[CitedEvent]:
        job = self._job(line.fields["job_id"], line)
        row = JobRow(job.name, line.fields.get("tenant_id", ""), self.lifecycle.pending)
        yield from self._hold(job, JobLine(LineMeaning.ROW, line, row=row, created=True))

    def _operation(self, line: LogLine) -> Operation:
        return Operation(line.fields.get("operation", Operation.PREPARE))

    def _called(self, line: LogLine) -> Iterator[CitedEvent]:
        job = self._job(line.fields["job_id"], line)
        worker = self._worker(line)
        for other in [other for other in worker.calls if other.job == job.name]:
            worker.calls.remove(other)
            yield from self._end(other, line.at, "never answered")
        yield from self._hold(job, self._invoke(job, line, line.at))

    def _invoke(self, job: JobRecord, line: LogLine, called_at: float) -> JobLine:
        fields, operation = line.fields, self._operation(line)
        attempt = fields.get("attempt")
        if operation is not Operation.PREPARE and attempt is None and self.lifecycle.fenced:
            self.counts["finishes without an attempt"] += 1
            attempt = self._attempt_of(job, line.worker)
        call = Call(
            operation,
            line.worker,
            job.name,
            fields.get("tenant_id", ""),
            line,
            called_at,
            None if operation is Operation.PREPARE else attempt,
            fields.get("status") if operation is Operation.CLOSE else None,
            fields.get("message_id"),
        )
        job.under_way += 1
        worker = self._worker(line)
        worker.calls.append(call)
        worker.job = job.name
        return JobLine(LineMeaning.CALL, line, call)

    def _attempt_of(self, job: JobRecord, worker: str) -> int:
        """Return the attempt of a worker whose lines do not name it: that of its own latest acquisition."""
        row = job.state.row
        return job.attempts.get(worker, row.attempt if row is not None and not job.state.unseen else 1)

    def _answered(self, line: LogLine) -> Iterator[CitedEvent]:
        job = self._job(line.fields["job_id"], line)
        worker, operation = self._worker(line), self._operation(line)
        items = []
        call = next((c for c in worker.calls if c.job == job.name and c.operation is operation), None)
        if call is None:
            self.counts["answers without a call"] += 1
            # Its line is missing.  A worker does one thing at a time, so the call came after its line before.
            item = self._invoke(job, line, min(worker.last_at, line.at))
            items, call = [item], item.call
            if call is not None and line.event == "finish.accepted":
                call.recorded = line.fields.get("attempt") is None
        if call is not None:
            worker.calls.remove(call)
            self._note_answer(call, line)
            job.answers = {**job.answers, call: line}
            job.under_way -= 1
            items.append(JobLine(LineMeaning.ANSWER, line, call))
        yield from self._hold(job, *items)

    def _note_answer(self, call: Call, line: LogLine) -> None:
        fields = line.fields
        call.answer = Answer.ACCEPTED if line.event.endswith(".accepted") else Answer.REFUSED
        call.answered_at = line.at
        call.status, call.reason = fields.get("status"), fields.get("reason")
        if call.operation is Operation.CLOSE and call.payload is None:
            call.payload = call.status
        if call.acquires and call.answer is Answer.ACCEPTED:
            call.logged_attempt, call.expires_at = fields.get("attempt"), fields.get("lease_expires_at")
            for name in ("attempt", "lease_expires_at"):
                self.counts[f"acquisitions without {name}"] += fields.get(name) is None

    def _raised(self, line: LogLine) -> Iterator[CitedEvent]:
        worker, name = self._worker(line), line.fields["operation"]
        for call in [c for c in worker.calls if c.operation == name]:
            worker.calls.remove(call)
            self._job(call.job, line)
            yield from self._end(call, line.at, f"raised {line.fields.get('error', 'an error')}")

    # -- messages ---------------------------------------------------------------------------

    def _message(self, line: LogLine) -> Iterator[CitedEvent]:
        job, events = self._messages.events(line)
        if events:
            yield from self._events(job, line, *events)

    def _received(self, line: LogLine) -> Iterator[CitedEvent]:
        """A worker handles one message at a time: what it left unanswered before is never answered."""
        worker = self._worker(line)
        calls, worker.calls = worker.calls, []
        for call in calls:
            yield from self._end(call, line.at, "never answered")
        worker.job = self._messages.about(line)[0] or None
        yield from self._message(line)

    # -- what looks at all jobs ---------------------------------------------------------------

    def _drain_began(self, line: LogLine) -> Iterator[CitedEvent]:
        yield CitedEvent(line, history.DrainBegan(line.at))

    def _drain_ended(self, line: LogLine) -> Iterator[CitedEvent]:
        yield from self._drain_judged()
        self._drained = line

    def _drain_judged(self) -> Iterator[CitedEvent]:
        """Yield the end of the drain, which judges all jobs, once the rows read after it have come."""
        if self._drained is None:
            return
        line, self._drained = self._drained, None
        yield from self._release_all()
        yield CitedEvent(line, history.DrainEnded(line.at, line.fields.get("stuck", "")))

    def _rows_read(self, line: LogLine) -> Iterator[CitedEvent]:
        for found in line.fields["rows"]:
            job = self._job(found["job_id"], line)
            row = JobRow(
                job.name,
                found.get("tenant_id", ""),
                found["status"],
                found["attempt"],
                None,
                found.get("lease_expires_at"),
                None,
                found["results"],
            )
            job.held.append(JobLine(LineMeaning.ROW, line, row=row))
            self._busy.pop(job.name, None)
            yield from self._writer.release(job, final=True)
