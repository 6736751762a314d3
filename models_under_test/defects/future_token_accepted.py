"""While a job is RUNNING its fence refuses *older* tokens only, and lets one through that was never given.

After a restore from a backup the workers of the time after it hold such tokens, and finish others' jobs.

Caught by `only_the_holder_finishes`.
"""

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = self._lock(job_id, tenant_id)
        if job is not None and job.status == JobStatus.RUNNING and attempt > job.attempt_count:
            return job
        return super()._lock_for(job_id, tenant_id, attempt)


PARTS = {"repository": Repository}
