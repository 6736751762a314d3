"""mark_running reads its row without select_for_update, "the lease is the lock".

Two workers who read at once both find the job free, and both are given attempt 1: the fence holds neither
of them back from then on.

Caught by `one_holder_at_a_time` in the transactions lane.
"""

from typing import Any

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        return self._named(job_id, tenant_id).first()

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = super()._lock(job_id, tenant_id)
        return job if job is not None and job.attempt_count == attempt else None


PARTS = {"repository": Repository}
