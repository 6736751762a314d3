"""The idempotent skip asks for an ended job by its id alone, before the tenant is looked at.

A message in another tenant's name is deleted because a job of that number has ended; what it was for
is never known.

Caught by `messages_outlive_unfinished_jobs`.
"""

from datetime import datetime

from models_under_test.domain import TERMINAL, Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        if AIJob.objects.filter(job_id=job_id, status__in=TERMINAL).exists():
            return Refusal.ALREADY_ENDED
        return super().mark_running(job_id, tenant_id, worker_id, now)


PARTS = {"repository": Repository}
