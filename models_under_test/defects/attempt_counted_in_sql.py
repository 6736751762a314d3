"""mark_running needs no lock: ``attempt_count + 1`` is counted by the database, so no attempt is lost.

That is so, and all the same two workers who have both read the job as free both acquire it.

Caught by `one_holder_at_a_time` in the transactions lane.
"""

from datetime import datetime
from typing import Any

from django.db.models import F

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        return self._named(job_id, tenant_id).first()

    def _save(self, job: AIJob, now: datetime) -> None:
        acquired = job.status == self.statuses.running
        job.attempt_count = F("attempt_count") + 1 if acquired else F("attempt_count")
        super()._save(job, now)
        job.refresh_from_db(fields=["attempt_count"])

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        return self._named(job_id, tenant_id).select_for_update().filter(attempt_count=attempt).first()


PARTS = {"repository": Repository}
