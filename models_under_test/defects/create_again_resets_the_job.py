"""add uses update_or_create, so that creating a job is "idempotent" and may be tried again.

It is not: the second call sets a job back to PENDING that a worker holds or has finished.

Caught by `a_job_is_created_once`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def add(self, job_id: str, tenant_id: str, request: str = "", now: datetime | None = None) -> None:
        now = now or timezone.now()
        fresh = {"status": "PENDING", "attempt_count": 0, "locked_by": None, "lease_expires_at": None}
        AIJob.objects.update_or_create(
            job_id=job_id,
            tenant_id=tenant_id,
            defaults={
                **fresh,
                "request": request,
                "published_at": None,
                "created_at": now,
                "updated_at": now,
            },
        )


PARTS = {"repository": Repository}
