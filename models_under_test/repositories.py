"""The repositories: every statement that touches an AI job, a video or a notification.

One class serves all three; a subclass names its tables, its statuses and its own two methods.  No method
opens a transaction: the use case that calls it does, through the unit of work, so that a row that was locked
here stays locked until everything that belongs together is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from models_under_test.domain import (
    AI_STATUSES,
    LEASE_SECONDS,
    NOTIFICATION_STATUSES,
    RECOVER_AFTER_SECONDS,
    VIDEO_STATUSES,
    Lease,
    Refusal,
    Statuses,
)
from models_under_test.models import (
    AIJob,
    AIResult,
    JobResult,
    LeasedJob,
    Lecture,
    Notification,
    NotificationLog,
    Video,
    VideoRendition,
)


class LeasedJobRepository:
    """The jobs of one pipeline.

    A call of an attempt that no longer owns the job is refused (False) and writes nothing.  The durations may
    be set on an instance, for workers with scaled numbers.
    """

    model: type[LeasedJob]
    key: str  # the column of the job's own id
    result_model: type[JobResult]
    result_of: str  # the field of ``result_model`` that links to the job
    statuses: Statuses
    terminal: frozenset[str]
    lease_seconds: float = LEASE_SECONDS
    recover_after_seconds: float = RECOVER_AFTER_SECONDS

    def add(
        self, job_id: str, tenant_id: str, request: str, now: datetime | None = None, **further: Any
    ) -> None:
        """Store a new job.  Raises ``IntegrityError`` when the id is taken.

        ``further`` are columns that only this pipeline has.
        """
        now = now or timezone.now()
        named = {self.key: job_id, "tenant_id": tenant_id}
        self.model.objects.create(**named, request=request, created_at=now, updated_at=now, **further)

    def request_of(self, job_id: str, tenant_id: str) -> str:
        """Return the request of the job.  Raises ``LookupError`` when the tenant has no such job."""
        request = self._named(job_id, tenant_id).values_list("request", flat=True).first()
        if request is None:
            raise LookupError(
                f"{self.key} {job_id}: tenant {tenant_id} has no row of that id in "
                f"{self.model._meta.db_table}; create it first, or name its own tenant"
            )
        return str(request)

    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        """Finish without a result; True as well when this attempt has already done so."""
        return self._leave_running(
            job_id, tenant_id, attempt, self.statuses.failed, error, now or timezone.now()
        )

    def mark_retrying(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        """Give the job back for another attempt; True as well when this attempt has already done so."""
        return self._leave_running(
            job_id, tenant_id, attempt, self.statuses.retrying, error, now or timezone.now()
        )

    def mark_published(self, job_id: str, tenant_id: str, now: datetime | None = None) -> None:
        """Store that the job's message was sent, unless that is stored or the job is no longer PENDING."""
        now = now or timezone.now()
        unsent = self._named(job_id, tenant_id).filter(status=self.statuses.pending, published_at=None)
        unsent.update(published_at=now, updated_at=now)

    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        """Return (job id, tenant id) of the jobs whose publisher must have died."""
        now = now or timezone.now()
        lost = self.model.objects.filter(
            status=self.statuses.pending,
            published_at=None,
            created_at__lte=now - timedelta(seconds=self.recover_after_seconds),
        )
        return list(lost.order_by("pk").values_list(self.key, "tenant_id"))

    def _acquire(self, job_id: str, tenant_id: str, worker_id: str, now: datetime) -> Lease | Refusal:
        """Give the job to a new attempt with a lease of ``lease_seconds``, or say why not."""
        job = self._lock(job_id, tenant_id)
        if job is None:
            return Refusal.NO_SUCH_JOB
        if job.status in self.terminal:
            return Refusal.ALREADY_ENDED
        if job.status == self.statuses.running and not self._lease_expired(job, now):
            return Refusal.LEASE_LIVE
        job.status = self.statuses.running
        job.attempt_count += 1
        job.locked_by = worker_id
        job.locked_at = now
        job.lease_expires_at = now + timedelta(seconds=self.lease_seconds)
        self._save(job, now)
        return Lease(job.attempt_count, job.lease_expires_at)

    def _complete(self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime) -> bool:
        """Finish with a result; True as well when this attempt has already done so."""
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or job.status != self.statuses.running:
            return job is not None and job.status == self.statuses.done
        self._end_lease(job, self.statuses.done, now)
        self.result_model.objects.create(**{self.result_of: job}, payload=result, created_at=now)
        return True

    def _leave_running(
        self,
        job_id: str,
        tenant_id: str,
        attempt: int,
        status: str,
        error: str,
        now: datetime,
    ) -> bool:
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or job.status != self.statuses.running:
            return job is not None and job.status == status
        job.error = error
        self._end_lease(job, status, now)
        return True

    def _named(self, job_id: str, tenant_id: str) -> Any:
        return self.model.objects.filter(**{self.key: job_id}, tenant_id=tenant_id)

    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        return self._named(job_id, tenant_id).select_for_update().first()

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> Any | None:
        """Lock the row.  Return it if ``attempt`` is still the latest, the only one that may write."""
        job = self._lock(job_id, tenant_id)
        return job if job is not None and job.attempt_count == attempt else None

    def _lease_expired(self, job: Any, now: datetime) -> bool:
        return job.lease_expires_at is None or job.lease_expires_at <= now

    def _end_lease(self, job: Any, status: str, now: datetime) -> None:
        job.status = status
        job.locked_by = job.locked_at = job.lease_expires_at = None
        self._save(job, now)

    def _save(self, job: Any, now: datetime) -> None:
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


class DjangoAIJobRepository(LeasedJobRepository):
    model, key = AIJob, "job_id"
    result_model, result_of = AIResult, "job"
    statuses, terminal = AI_STATUSES, AI_STATUSES.terminal

    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        """PENDING, RETRYING, or RUNNING under an expired lease → RUNNING under a new one."""
        return self._acquire(job_id, tenant_id, worker_id, now or timezone.now())

    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        """RUNNING → DONE with its result; True as well when this attempt has already done so."""
        return self._complete(job_id, tenant_id, attempt, result, now or timezone.now())


class DjangoVideoRepository(LeasedJobRepository):
    model, key = Video, "video_id"
    result_model, result_of = VideoRendition, "video"
    statuses, terminal = VIDEO_STATUSES, VIDEO_STATUSES.terminal

    def add(
        self, job_id: str, tenant_id: str, request: str, now: datetime | None = None, **further: Any
    ) -> None:
        """Store a new video.  Raises ``IntegrityError`` when the id is taken.

        Raises ``LookupError`` when the lecture ``lecture_id`` is not the tenant's.
        """
        lecture_id = further.get("lecture_id")
        if lecture_id is not None and not Lecture.objects.filter(pk=lecture_id, tenant_id=tenant_id).exists():
            raise LookupError(
                f"video {job_id}: tenant {tenant_id} has no lecture {lecture_id}; "
                "name one of its own, or none"
            )
        super().add(job_id, tenant_id, request, now, **further)

    def mark_processing(
        self, video_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        """UPLOADED, RETRYING, or PROCESSING under an expired lease → PROCESSING under a new one."""
        return self._acquire(video_id, tenant_id, worker_id, now or timezone.now())

    def mark_ready(
        self, video_id: str, tenant_id: str, attempt: int, rendition: str, now: datetime | None = None
    ) -> bool:
        """PROCESSING → READY with its rendition; True as well when this attempt has already done so."""
        return self._complete(video_id, tenant_id, attempt, rendition, now or timezone.now())


class DjangoNotificationRepository(LeasedJobRepository):
    model, key = Notification, "notification_id"
    result_model, result_of = NotificationLog, "notification"
    statuses, terminal = NOTIFICATION_STATUSES, NOTIFICATION_STATUSES.terminal

    def mark_sending(
        self, notification_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        """PENDING, RETRYING, or SENDING under an expired lease → SENDING under a new one."""
        return self._acquire(notification_id, tenant_id, worker_id, now or timezone.now())

    def mark_sent(
        self, notification_id: str, tenant_id: str, attempt: int, receipt: str, now: datetime | None = None
    ) -> bool:
        """SENDING → SENT with its log; True as well when this attempt has already done so."""
        return self._complete(notification_id, tenant_id, attempt, receipt, now or timezone.now())
