"""The seven lines of the gate's script (docs/gate.md, §1), each computed from what the repositories stored.

They run on a database of this run, with the leases and timeouts of production, each once and in one order:
a pass shows that the step passed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from statemachine.binding import Binding, Message, ObservedRow


class StepMark(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    NOT_RUN = "NOT RUN"


class StepLine(NamedTuple):
    """One printed line."""

    step: int
    text: str
    mark: StepMark | None = None
    """None for a line that only informs."""

    def __str__(self) -> str:
        return f"[{self.step}] {self.text}" + (f" [{self.mark}]" if self.mark else "")


class NullPort:
    """Queue and publisher for steps that need no message: what is sent is dropped."""

    def enqueue(self, job: str, tenant: str) -> None: ...

    def send(self, job: str, tenant: str) -> None: ...

    def receive(self) -> Message | None: ...

    def delete(self, receipt_handle: str) -> None: ...

    def change_visibility(self, receipt_handle: str, seconds: int) -> None: ...


class Gate:
    """The steps on one binding, which must be open.  ``stamp`` makes the names of this gate's jobs unique."""

    def __init__(self, binding: Binding, stamp: str) -> None:
        self.binding = binding
        self.tenant = binding.tenants[0]
        self.stamp = stamp

    def lines(self) -> Iterator[StepLine]:
        """Yield each line as soon as its step is over.  An error fails its step and does not end the gate."""
        for step, text, play in self._steps():
            try:
                yield from play()
            except Exception as error:  # noqa: BLE001  whatever the system raises is what the step shows
                found = str(error).strip().splitlines() or [""]
                yield StepLine(step, f"{text}: {type(error).__name__}: {found[0]}", StepMark.FAIL)

    def _steps(self) -> list[tuple[int, str, Callable[[], Iterator[StepLine]]]]:
        return [
            (1, "Step 1 infra: Tenant, User, Lecture", self._infrastructure),
            (2, "Duplicate job_id -> DB IntegrityError (idempotency)", self._duplicate),
            (3, "create_notification_log -> NotificationLog +1", self._notification),
            (3, "DjangoVideoRepository.mark_processing -> status=PROCESSING", self._video),
            (4, f"Lease: now + {self.lease}s = lease_expires_at", self._lease),
            (5, "mark_failed -> job.status=FAILED", self._failed),
        ]

    @property
    def lease(self) -> int:
        return self.binding.lifecycle.lease_seconds

    def _offered(self, piece: str) -> Callable[[], Any] | None:
        return getattr(self.binding, piece, None)

    def _infrastructure(self) -> Iterator[StepLine]:
        offered = self._offered("infrastructure")
        rows = offered() if offered else ()
        if rows:
            yield StepLine(1, ", ".join(rows))
        mark = StepMark.NOT_RUN if offered is None else StepMark.PASS if rows else StepMark.FAIL
        yield StepLine(1, "Step 1 infra: Tenant, User, Lecture", mark)

    def _duplicate(self) -> Iterator[StepLine]:
        job = self._created("duplicate")
        before = self._row(job)
        try:
            self.binding.create(job, self.tenant)
            got = "no error"
        except Exception as error:  # noqa: BLE001  which error it is, is the question
            got = type(error).__name__
        if self._row(job) != before:
            got += ", and the row changed"
        mark = StepMark.PASS if got == "IntegrityError" else StepMark.FAIL
        yield StepLine(2, f"Duplicate job_id -> DB IntegrityError (idempotency): {got}", mark)

    def _notification(self) -> Iterator[StepLine]:
        offered = self._offered("create_notification_log")
        if offered is None:
            yield StepLine(3, "create_notification_log -> NotificationLog +1", StepMark.NOT_RUN)
            return
        before, after = offered()
        more = after - before
        text = f"create_notification_log -> NotificationLog {more:+d} (before={before}, after={after})"
        yield StepLine(3, text, StepMark.PASS if more == 1 else StepMark.FAIL)

    def _video(self) -> Iterator[StepLine]:
        offered = self._offered("mark_processing")
        if offered is None:
            yield StepLine(3, "DjangoVideoRepository.mark_processing -> status=PROCESSING", StepMark.NOT_RUN)
            return
        video, status = offered()
        text = f"DjangoVideoRepository.mark_processing(video_id={video}) -> status={status}"
        yield StepLine(3, text, StepMark.PASS if status == "PROCESSING" else StepMark.FAIL)

    def _lease(self) -> Iterator[StepLine]:
        job = self._created("lease")
        before = datetime.now(UTC)
        self.binding.mark_running(job, self.tenant)
        after = datetime.now(UTC)
        expires = self._row(job).lease_expires_at
        if expires is None:
            yield StepLine(4, f"Lease: now + {self.lease}s = lease_expires_at (NULL)", StepMark.FAIL)
            return
        stored = expires.replace(tzinfo=expires.tzinfo or UTC)
        # The repository read its clock at some time during the call: the lease is known as an interval.
        lease = timedelta(seconds=self.lease)
        delta = min(max(lease, stored - after), stored - before)
        text = f"Lease: now + {self.lease}s = lease_expires_at (delta_sec={delta.total_seconds():.1f})"
        yield StepLine(4, text, StepMark.PASS if delta == lease else StepMark.FAIL)

    def _failed(self) -> Iterator[StepLine]:
        job = self._created("fail")
        attempt = self.binding.mark_running(job, self.tenant)
        if attempt is not None:
            self.binding.fail(job, self.tenant, attempt, "gate")
        status, failed = self._row(job).status, self.binding.lifecycle.failed
        text = f"mark_failed -> job.status={status} (job_id={job})"
        yield StepLine(5, text, StepMark.PASS if status == failed else StepMark.FAIL)

    def _created(self, purpose: str) -> str:
        job = f"gate10-{purpose}-{self.stamp}"
        self.binding.create(job, self.tenant)
        return job

    def _row(self, job: str) -> ObservedRow:
        for row in self.binding.observe([job]):
            return row
        raise LookupError(f"the binding observes no row of {job}")


def is_go(lines: Sequence[StepLine]) -> bool:
    """Return whether every step has run and passed."""
    marks = [line.mark for line in lines if line.mark]
    return len(marks) == 6 and set(marks) == {StepMark.PASS}
