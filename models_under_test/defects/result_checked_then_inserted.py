"""mark_done locks nothing: it inserts the result if there is none yet, and a guarded UPDATE lets it stand.

A late worker whose job is taken over and completed between its check and its INSERT is told of a database
error, and tries again and again, where it should hear that the job is not its own any more.

Caught by `operations_answer_by_the_table` in the transactions lane.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from models_under_test.models import AIResult
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        now, jobs = now or timezone.now(), self._named(job_id, tenant_id).filter(attempt_count=attempt)
        job, ended = jobs.first(), {"status": "DONE", "updated_at": now}
        if job is None or job.status != "RUNNING":
            return job is not None and job.status == "DONE"
        AIResult.objects.create(job=job, payload=result, created_at=now)
        free = dict.fromkeys(("locked_by", "locked_at", "lease_expires_at"))
        accepted = bool(jobs.filter(status="RUNNING").update(**ended, **free))
        transaction.set_rollback(not accepted)
        return accepted


PARTS = {"repository": Repository}
