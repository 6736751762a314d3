"""mark_running reopens a FAILED job: "its message came back, so somebody wants it tried again".

A duplicate that arrives after the failure starts a job anew whose user has read that it failed.

Caught by `terminal_jobs_never_change`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus, Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        failed = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id, status=JobStatus.FAILED)
        failed.update(status=JobStatus.RETRYING)
        return super().mark_running(job_id, tenant_id, worker_id, now)


PARTS = {"repository": Repository}
