"""mark_running locks the row of the job's tenant, "one acquisition at a time", and not the job's own.

A finish locks the job itself: a late worker completes it while another one is taking it over, and
an ended job runs again.

Caught by `terminal_jobs_never_change` in the transactions lane.
"""

from typing import Any

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        jobs = self._named(job_id, tenant_id).select_related("tenant")
        return jobs.select_for_update(of=("tenant",)).first()

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = super()._lock(job_id, tenant_id)
        return job if job is not None and job.attempt_count == attempt else None


PARTS = {"repository": Repository}
