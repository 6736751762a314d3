"""mark_failed alone looks the job up by its id: the tenant filter was added to the other methods only.

An operator's script, run for the wrong tenant, fails a live job of another.

Caught by `tenants_never_mix`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        owner = AIJob.objects.filter(job_id=job_id).values_list("tenant_id", flat=True).first()
        return super().mark_failed(job_id, owner or tenant_id, attempt, error, now)


PARTS = {"repository": Repository}
