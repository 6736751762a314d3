"""A refused completion stores its result all the same: "inference is dear, somebody may need it".

The result of a superseded attempt stands beside a running job, whose own completion then collides with it.

Caught by `only_the_holder_finishes`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob, AIResult
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        accepted = super().mark_done(job_id, tenant_id, attempt, result, now)
        at_work = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id, status=JobStatus.RUNNING)
        job = at_work.first()
        if job is not None and not accepted:
            kept = {"payload": result, "created_at": now or timezone.now()}
            AIResult.objects.get_or_create(job=job, defaults=kept)
        return accepted


PARTS = {"repository": Repository}
