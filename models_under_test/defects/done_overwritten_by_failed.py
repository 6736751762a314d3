"""mark_failed trusts its caller and writes FAILED over a job that its attempt has made DONE.

A worker whose answer to mark_done was lost runs into ``except: mark_failed(…)`` and turns DONE into FAILED.

Caught by `terminal_jobs_never_change`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import JobStatus
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is not None and job.status == JobStatus.DONE:
            self._end_lease(job, JobStatus.FAILED, now or timezone.now())
            return True
        return super().mark_failed(job_id, tenant_id, attempt, error, now)


PARTS = {"repository": Repository}
