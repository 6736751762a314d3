"""The result is stored by update_or_create, "so that a completion can safely be tried again".

A repeated completion replaces a result that users have already read.

Caught by `terminal_jobs_never_change`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.models import AIJob, AIResult
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        accepted = super().mark_done(job_id, tenant_id, attempt, result, now)
        if accepted:
            latest = {"payload": result, "created_at": now or timezone.now()}
            AIResult.objects.update_or_create(job=AIJob.objects.get(job_id=job_id), defaults=latest)
        return accepted


PARTS = {"repository": Repository}
