"""mark_done answers True only for a RUNNING job: an attempt that asks again is refused.

A worker that lost the first answer takes its own success for a takeover, and leaves its message behind.

Caught by `operations_answer_by_the_table`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is None or job.status != JobStatus.RUNNING:
            return False
        return super().mark_done(job_id, tenant_id, attempt, result, now)


PARTS = {"repository": Repository}
