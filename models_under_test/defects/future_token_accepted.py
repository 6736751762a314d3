"""The fence refuses tokens that are *older* than the row's, and lets one through that was never given.

After a restore from a backup the workers of the time after it hold such tokens, and finish others' jobs.

Caught by `only_the_holder_finishes`.
"""

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = self._lock(job_id, tenant_id)
        return job if job is not None and attempt >= job.attempt_count else None


PARTS = {"repository": Repository}
