"""mark_done refuses once the lease is over, though nobody has taken the job: "expired means lost".

Work that was done is thrown away and paid for again; a job that always takes an hour never ends.

Caught by `operations_answer_by_the_table`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        now = now or timezone.now()
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is not None and self._lease_expired(job, now):
            return False
        return super().mark_done(job_id, tenant_id, attempt, result, now)


PARTS = {"repository": Repository}
