"""mark_running looks the job up by its id alone: "job ids are unique".

A message of another tenant gets the lease of a job that is not its own.

Caught by `tenants_never_mix`.
"""

from datetime import datetime

from models_under_test.domain import Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        owner = AIJob.objects.filter(job_id=job_id).values_list("tenant_id", flat=True).first()
        return super().mark_running(job_id, owner or tenant_id, worker_id, now)


PARTS = {"repository": Repository}
