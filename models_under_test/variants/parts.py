"""The parts that the variants replace: a repository or a delivery procedure each."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import TERMINAL, JobStatus, Outcome
from models_under_test.models import AIJob, AIResult
from models_under_test.repositories import DjangoAIJobRepository
from models_under_test.variants.review import ToReview


def repository_with_lease(seconds: int) -> type[DjangoAIJobRepository]:
    return type("Repository", (DjangoAIJobRepository,), {"lease_seconds": seconds})


def delivery_hiding_for(seconds: int) -> type[AIJobDelivery]:
    return type("Delivery", (AIJobDelivery,), {"visibility_seconds": seconds})


class LateRepository(DjangoAIJobRepository):
    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = super()._lock_for(job_id, tenant_id, attempt)
        if job and job.status == JobStatus.RUNNING and self._lease_expired(job, timezone.now()):
            return None
        return job


class ClosingRepository(DjangoAIJobRepository):
    terminal = TERMINAL | {"REVIEW_REQUIRED", "REJECTED"}

    def close(self, job_id: str, tenant_id: str, attempt: int, status: str) -> bool:
        return self._leave_running(job_id, tenant_id, attempt, status, "", timezone.now())


class ClosingDelivery(AIJobDelivery):
    def finish(self, outcome: Outcome | ToReview) -> bool:
        if not isinstance(outcome, ToReview):
            return super().finish(outcome)
        job_id, tenant_id = self._job()
        with self.uow as uow:
            accepted = uow.jobs.close(job_id, tenant_id, self.attempt, outcome.status)
        self.next_step = "acknowledge" if accepted else None
        return accepted


class RepositoryWithoutFailed(DjangoAIJobRepository):
    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        ended = self._leave_running(job_id, tenant_id, attempt, JobStatus.DONE, error, now or timezone.now())
        return ended and not self._has_result(job_id)

    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        return super().mark_done(job_id, tenant_id, attempt, result, now) and self._has_result(job_id)

    def _has_result(self, job_id: str) -> bool:
        """DONE alone does not say whether a job was completed."""
        return AIResult.objects.filter(job__job_id=job_id).exists()


class UnfencedRepository(DjangoAIJobRepository):
    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        return self._lock(job_id, tenant_id)


class RenewingRepository(DjangoAIJobRepository):
    def renew(self, job_id: str, tenant_id: str, attempt: int) -> bool:
        now = timezone.now()
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or job.status != JobStatus.RUNNING:
            return False
        job.lease_expires_at = now + timedelta(seconds=self.lease_seconds)
        self._save(job, now)
        return True


class PunctuallyRenewingRepository(RenewingRepository):
    def renew(self, job_id: str, tenant_id: str, attempt: int) -> bool:
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or self._lease_expired(job, timezone.now()):
            return False
        return super().renew(job_id, tenant_id, attempt)


class RenewingDelivery(AIJobDelivery):
    def renew(self) -> bool:
        """Renew the lease, then hide the message for as long again.

        In this order a crash in between only lets the message return early, to a refusal.
        """
        job_id, tenant_id = self._job()
        with self.uow as uow:
            renewed = uow.jobs.renew(job_id, tenant_id, self.attempt)
        if renewed:
            self.extend()
        return renewed
