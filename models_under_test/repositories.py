"""``DjangoAIJobRepository``: every statement that touches an AI job.

No method opens a transaction: the use case that calls it does, through the unit of work, so that a
row that was locked here stays locked until everything that belongs together is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from models_under_test.domain import (
    LEASE_SECONDS,
    RECOVER_AFTER_SECONDS,
    TERMINAL,
    JobStatus,
    Lease,
    Refusal,
)
from models_under_test.models import AIJob, AIResult


class DjangoAIJobRepository:
    lease_seconds = LEASE_SECONDS
    terminal: frozenset[str] = TERMINAL

    def add(self, job_id: str, tenant_id: str, now: datetime | None = None) -> None:
        """Raises ``IntegrityError`` when the id is taken."""
        now = now or timezone.now()
        AIJob.objects.create(job_id=job_id, tenant_id=tenant_id, created_at=now, updated_at=now)

    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        """Give the job to a new attempt with a lease of ``lease_seconds``, or say why not."""
        now = now or timezone.now()
        job = self._lock(job_id, tenant_id)
        if job is None:
            return Refusal.NO_SUCH_JOB
        if job.status in self.terminal:
            return Refusal.ALREADY_ENDED
        if job.status == JobStatus.RUNNING and not self._lease_expired(job, now):
            return Refusal.LEASE_LIVE
        job.status = JobStatus.RUNNING
        job.attempt_count += 1
        job.locked_by = worker_id
        job.locked_at = now
        job.lease_expires_at = now + timedelta(seconds=self.lease_seconds)
        self._save(job, now)
        return Lease(job.attempt_count)

    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        """Finish with a result; True as well when this attempt has already done so."""
        now = now or timezone.now()
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or job.status != JobStatus.RUNNING:
            return job is not None and job.status == JobStatus.DONE
        self._end_lease(job, JobStatus.DONE, now)
        AIResult.objects.create(job=job, payload=result, created_at=now)
        return True

    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        """Finish without a result; True as well when this attempt has already done so."""
        return self._leave_running(job_id, tenant_id, attempt, JobStatus.FAILED, error, now)

    def mark_retrying(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        """Give the job back for another attempt; True as well when this attempt has already done so."""
        return self._leave_running(job_id, tenant_id, attempt, JobStatus.RETRYING, error, now)

    def mark_published(self, job_id: str, tenant_id: str, now: datetime | None = None) -> None:
        now = now or timezone.now()
        AIJob.objects.filter(
            job_id=job_id, tenant_id=tenant_id, status=JobStatus.PENDING, published_at=None
        ).update(published_at=now, updated_at=now)

    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        """(job id, tenant id) of the jobs whose publisher must have died."""
        now = now or timezone.now()
        return list(
            AIJob.objects.filter(
                status=JobStatus.PENDING,
                published_at=None,
                created_at__lte=now - timedelta(seconds=RECOVER_AFTER_SECONDS),
            )
            .order_by("pk")
            .values_list("job_id", "tenant_id")
        )

    def _leave_running(
        self,
        job_id: str,
        tenant_id: str,
        attempt: int,
        status: str,
        error: str,
        now: datetime | None,
    ) -> bool:
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or job.status != JobStatus.RUNNING:
            return job is not None and job.status == status
        job.error = error
        self._end_lease(job, status, now or timezone.now())
        return True

    def _lock(self, job_id: str, tenant_id: str) -> AIJob | None:
        return AIJob.objects.select_for_update().filter(job_id=job_id, tenant_id=tenant_id).first()

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        """The locked row, if ``attempt`` is still the one that may write to it."""
        job = self._lock(job_id, tenant_id)
        return job if job is not None and job.attempt_count == attempt else None

    def _lease_expired(self, job: AIJob, now: datetime) -> bool:
        return job.lease_expires_at is None or job.lease_expires_at <= now

    def _end_lease(self, job: AIJob, status: str, now: datetime) -> None:
        job.status = status
        job.locked_by = job.locked_at = job.lease_expires_at = None
        self._save(job, now)

    def _save(self, job: AIJob, now: datetime) -> None:
        job.updated_at = now
        job.save(
            update_fields=[
                "status",
                "attempt_count",
                "locked_by",
                "locked_at",
                "lease_expires_at",
                "error",
                "updated_at",
            ]
        )
