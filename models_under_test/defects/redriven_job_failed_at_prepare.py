"""mark_running fails a RETRYING job that has had three attempts: it "has used up its receives".

A redrive begins a new count, and is how an operator asks for another try; the answer is FAILED.

Caught by `transitions_are_legal`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import MAX_RECEIVES, JobStatus, Lease, Refusal
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        job = self._lock(job_id, tenant_id)
        if job and job.status == JobStatus.RETRYING and job.attempt_count >= MAX_RECEIVES:
            self._end_lease(job, JobStatus.FAILED, now or timezone.now())
        return super().mark_running(job_id, tenant_id, worker_id, now)


PARTS = {"repository": Repository}
