"""A takeover goes on with the attempt number of the dead worker: "it is the same attempt, resumed".

Both workers then hold the same token, and fencing cannot tell a late one from the holder.

Caught by `attempts_count_acquisitions`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus, Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        job = self._lock(job_id, tenant_id)
        answer = super().mark_running(job_id, tenant_id, worker_id, now)
        if job is None or job.status != JobStatus.RUNNING or not isinstance(answer, Lease):
            return answer
        AIJob.objects.filter(pk=job.pk).update(attempt_count=job.attempt_count)
        return Lease(job.attempt_count)


PARTS = {"repository": Repository}
