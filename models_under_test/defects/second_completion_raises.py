"""mark_done inserts the result whatever the status, and leaves repetitions to the unique constraint.

A worker that lost the first answer tries again, gets an IntegrityError, and reports that a DONE job failed.

Caught by `operations_answer_by_the_table`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import JobStatus
from models_under_test.models import AIResult
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        job = self._lock_for(job_id, tenant_id, attempt)
        if job is not None and job.status == JobStatus.DONE:
            AIResult.objects.create(job=job, payload=result, created_at=now or timezone.now())
        return super().mark_done(job_id, tenant_id, attempt, result, now)


PARTS = {"repository": Repository}
