"""mark_running counts its attempt from what it read before it had the lock; all else it reads under the lock.

When another attempt begins and ends in between, two attempts bear one number, and the fence cannot tell
them apart.

Caught by `attempts_count_acquisitions` in the transactions lane.
"""

from typing import Any

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        attempts = self._named(job_id, tenant_id).values_list("attempt_count", flat=True).first()
        job = super()._lock(job_id, tenant_id)
        if job is not None:
            job.attempt_count = attempts or 0
        return job

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = super()._lock(job_id, tenant_id)
        return job if job is not None and job.attempt_count == attempt else None


PARTS = {"repository": Repository}
