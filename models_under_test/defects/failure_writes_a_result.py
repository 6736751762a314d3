"""mark_failed stores the error as the job's result, "so that the page has something to show".

Readers take a row in ``ai_result`` for success: a failed job is billed, and shown as an answer.

Caught by `a_job_completes_at_most_once`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.models import AIJob, AIResult
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        accepted = super().mark_failed(job_id, tenant_id, attempt, error, now)
        if accepted:
            shown = {"payload": error, "created_at": now or timezone.now()}
            AIResult.objects.get_or_create(job=AIJob.objects.get(job_id=job_id), defaults=shown)
        return accepted


PARTS = {"repository": Repository}
