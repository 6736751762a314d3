"""create_ai_job makes room for a FAILED job of the same id: users press "try again" there.

The failure is deleted with its history, attempts count from 1 again, and an old worker's attempt 1 is
taken for the new one's.

Caught by `a_job_is_created_once`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def add(self, job_id: str, tenant_id: str, request: str, now: datetime | None = None) -> None:
        AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id, status="FAILED").delete()
        super().add(job_id, tenant_id, request, now)


PARTS = {"repository": Repository}
