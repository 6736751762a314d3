"""The third release writes FAILED: the receive limit of the queue is kept a second time, in the code.

A redrive after the outage finds the job failed for good, though nothing was wrong with it.

Caught by `operations_write_by_the_table`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import MAX_RECEIVES, JobStatus
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_retrying(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        status = JobStatus.FAILED if attempt >= MAX_RECEIVES else JobStatus.RETRYING
        return self._leave_running(job_id, tenant_id, attempt, status, error, now or timezone.now())


PARTS = {"repository": Repository}
