"""A refused delivery is counted as an attempt too, "so that we see how often it was tried".

The holder's token is no longer the row's, so its finish is refused and its work is lost.

Caught by `one_holder_at_a_time`.
"""

from datetime import datetime

from django.db.models import F

from models_under_test.domain import Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        answer = super().mark_running(job_id, tenant_id, worker_id, now)
        if answer is Refusal.LEASE_LIVE:
            AIJob.objects.filter(job_id=job_id).update(attempt_count=F("attempt_count") + 1)
        return answer


PARTS = {"repository": Repository}
