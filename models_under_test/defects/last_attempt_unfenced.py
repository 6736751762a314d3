"""From the third attempt on every finish is let through: "no receive is left, so don't lose the work".

The third holder's job is finished under its hands by a late first or second attempt.

Caught by `only_the_holder_finishes`.
"""

from models_under_test.domain import MAX_RECEIVES, JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = self._lock(job_id, tenant_id)
        if job is not None and job.status == JobStatus.RUNNING and job.attempt_count >= MAX_RECEIVES:
            return job
        return super()._lock_for(job_id, tenant_id, attempt)


PARTS = {"repository": Repository}
