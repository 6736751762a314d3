"""Correct systems that differ from the bundled one in what the lifecycle lets differ.

The bundled system renews no lease and knows no further end, so by itself it never plays half of the
operations that a stranger's binding may offer.  Django models are imported in ``parts`` only, as in any
binding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from models_under_test.binding import WORKER_ID, AIJobsBinding, BoundDelivery, BoundQueue
from statemachine.binding import QueuePort
from statemachine.lifecycle import OPTIONAL, Answer, Lifecycle, Operation

OURS = AIJobsBinding.lifecycle


class Variant(AIJobsBinding):
    """The bundled system with another repository, made of the parts' own by :meth:`repository`."""

    lifecycle: ClassVar[Lifecycle] = OURS

    def repository(self, ours: type[Any]) -> type[Any]:
        return ours

    def parts(self) -> dict[str, Any]:
        parts = super().parts()
        return parts | {"repository": self.repository(parts["repository"])}


class RenewsAndCloses(Variant):
    """Renews leases during inference, and sends jobs to review or cancels them."""

    lifecycle = replace(OURS, offers=OPTIONAL, further_terminal=("REVIEW_REQUIRED", "CANCELLED"))

    def repository(self, ours: type[Any]) -> type[Any]:
        from django.utils import timezone

        from models_under_test.domain import JobStatus, Refusal
        from models_under_test.models import AIJob

        further = self.lifecycle.further_terminal

        class Repository(ours):  # type: ignore[misc]
            def mark_running(self, job_id: str, tenant_id: str, *rest: Any) -> Any:
                if AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id, status__in=further).exists():
                    return Refusal.ALREADY_ENDED
                return super().mark_running(job_id, tenant_id, *rest)

            def close(self, job_id: str, tenant_id: str, attempt: int, status: str) -> bool:
                return bool(self._leave_running(job_id, tenant_id, attempt, status, "", None))

            def renew(self, job_id: str, tenant_id: str, attempt: int) -> bool:
                job = self._lock_for(job_id, tenant_id, attempt)
                if job is None or job.status != JobStatus.RUNNING:
                    return False
                now = timezone.now()
                job.lease_expires_at = now + timedelta(seconds=OURS.lease_seconds)
                self._save(job, now)
                return True

        return Repository

    def close(self, job: str, tenant: str, attempt: int, status: str) -> bool:
        with self._uow as uow:
            return bool(uow.jobs.close(job, tenant, attempt, status))  # type: ignore[attr-defined]

    def renew(self, job: str, tenant: str, attempt: int) -> bool:
        with self._uow as uow:
            return bool(uow.jobs.renew(job, tenant, attempt))  # type: ignore[attr-defined]

    def deliver(self, worker: str, queue: QueuePort) -> BoundDelivery:
        procedure = self._use_cases.delivery(self._uow, BoundQueue(queue), WORKER_ID, self._use_cases)
        return RenewingDelivery(procedure, self)


class RenewingDelivery(BoundDelivery):
    """The bundled delivery procedure, which can renew its lease and close its job too."""

    def __init__(self, procedure: Any, system: RenewsAndCloses) -> None:
        super().__init__(procedure)
        self._system = system

    def _token(self) -> tuple[str, str, int]:
        message, lease = self._procedure.message, self._procedure.answer
        return message.job_id, message.tenant_id, lease.attempt  # type: ignore

    def renew(self) -> bool:
        return self._system.renew(*self._token())

    def finish(self, operation: Operation, payload: str) -> bool:
        if operation is not Operation.CLOSE:
            return super().finish(operation, payload)
        closed = self._system.close(*self._token(), payload)
        self._procedure.next_step = "acknowledge" if closed else None
        return closed


class RefusesLate(RenewsAndCloses):
    """Refuses whatever an attempt asks whose lease has expired."""

    lifecycle = replace(RenewsAndCloses.lifecycle, late_completion=Answer.REFUSED)

    def repository(self, ours: type[Any]) -> type[Any]:
        from django.utils import timezone

        class Repository(super().repository(ours)):  # type: ignore[misc]
            def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> Any:
                job = super()._lock_for(job_id, tenant_id, attempt)
                expired = job is not None and job.lease_expires_at and job.lease_expires_at <= timezone.now()
                return None if expired else job

        return Repository


class ShowsNoToken(Variant):
    """Whoever calls may finish a RUNNING job: its operator can live with that."""

    lifecycle = replace(OURS, fenced=False)
    waived: Mapping[str, str] = {"only_the_holder_finishes": "results are the same, whoever writes them"}

    def repository(self, ours: type[Any]) -> type[Any]:
        class Repository(ours):  # type: ignore[misc]
            def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> Any:
                return self._lock(job_id, tenant_id)

        return Repository


class EndsAllInDone(Variant):
    """A failure ends in DONE without a result; no job is given back, and no visibility extended."""

    lifecycle = replace(OURS, failed="DONE", offers=frozenset({Operation.RECOVER}))

    def repository(self, ours: type[Any]) -> type[Any]:
        from models_under_test.domain import JobStatus

        class Repository(ours):  # type: ignore[misc]
            def mark_failed(self, job_id: str, tenant_id: str, attempt: int, error: str) -> bool:
                return bool(self._leave_running(job_id, tenant_id, attempt, JobStatus.DONE, error, None))

        return Repository


class HasNoSweep(Variant):
    """Nobody looks for a job whose publisher has died: an operator does."""

    lifecycle = replace(OURS, offers=frozenset({Operation.EXTEND, Operation.RELEASE}))
    waived: Mapping[str, str] = dict.fromkeys(
        ("every_job_ends", "a_killed_job_is_reprocessed_once"), "an operator sends what was never sent"
    )


VARIANTS: dict[str, Callable[[], AIJobsBinding]] = {
    variant.__name__: variant
    for variant in (RenewsAndCloses, RefusesLate, ShowsNoToken, EndsAllInDone, HasNoSweep)
}
