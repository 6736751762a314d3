"""A migration turns a result's one-to-one link into a foreign key, and mark_done itself adds what is missing.

It looks for a result before its UPDATE and inserts after it, into any job that is DONE: a late worker
whose job was taken over and completed in between gives it a second one.

Caught by `a_result_is_written_once` in the transactions lane.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.models import AIResult
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        now, jobs = now or timezone.now(), self._named(job_id, tenant_id)
        missing = not AIResult.objects.filter(job__job_id=job_id).exists()
        free = dict.fromkeys(("locked_by", "locked_at", "lease_expires_at"))
        running = jobs.filter(status="RUNNING", attempt_count=attempt)
        running.update(status="DONE", updated_at=now, **free)
        job = jobs.first()
        done = job is not None and job.status == "DONE"
        if done and missing:
            AIResult.objects.create(job=job, payload=result, created_at=now)
        return done and job.attempt_count == attempt


PARTS = {"repository": Repository}
SCHEMA = ("ALTER TABLE ai_result DROP CONSTRAINT IF EXISTS ai_result_job_id_key",)
