"""mark_done accepts RETRYING beside RUNNING: "the result is there, so why try again".

An attempt that has given its job back completes it, while the caller was answered that it will be retried.

Caught by `only_the_holder_finishes`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        released = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id, attempt_count=attempt)
        released.filter(status=JobStatus.RETRYING).update(status=JobStatus.RUNNING)
        return super().mark_done(job_id, tenant_id, attempt, result, now)


PARTS = {"repository": Repository}
