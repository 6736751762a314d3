"""mark_running knows PENDING and RUNNING; RETRYING was added later, and counts as taken.

A job that was given back after a transient error is refused to every worker, and never ends.

Caught by `operations_answer_by_the_table`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus, Lease, Refusal
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        job = self._lock(job_id, tenant_id)
        if job is not None and job.status == JobStatus.RETRYING:
            return Refusal.LEASE_LIVE
        return super().mark_running(job_id, tenant_id, worker_id, now)


PARTS = {"repository": Repository}
