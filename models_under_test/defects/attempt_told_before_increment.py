"""The count is raised in the database, and the caller gets the number of the object read before.

Every worker shows the token of the attempt before its own, and every finish is refused.

Caught by `attempts_count_acquisitions`.
"""

from datetime import datetime

from models_under_test.domain import Lease, Refusal
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        job = self._lock(job_id, tenant_id)
        answer = super().mark_running(job_id, tenant_id, worker_id, now)
        return Lease(job.attempt_count) if job is not None and isinstance(answer, Lease) else answer


PARTS = {"repository": Repository}
