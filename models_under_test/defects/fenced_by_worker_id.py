"""The fence compares ``locked_by`` with the worker's own id, which is the same in the whole fleet.

It looks like a fix for late workers and does nothing: every worker passes for the holder.

Caught by `only_the_holder_finishes`.
"""

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository

WORKER_ID = "ai-worker"  # one deployment, one environment, one id


class Repository(DjangoAIJobRepository):
    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = self._lock(job_id, tenant_id)
        if job is not None and job.locked_by == WORKER_ID:
            return job
        return super()._lock_for(job_id, tenant_id, attempt)


PARTS = {"repository": Repository}
