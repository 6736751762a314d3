"""mark_failed locks nothing: it checks attempt and status, and its UPDATE asks once more for the status.

RUNNING it is, but no longer its own: the job of the worker that has taken it over in between ends FAILED.

Caught by `only_the_holder_finishes` in the transactions lane.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        jobs = self._named(job_id, tenant_id)
        job = jobs.filter(attempt_count=attempt).first()
        if job is None or job.status != "RUNNING":
            return job is not None and job.status == "FAILED"
        free = dict.fromkeys(("locked_by", "locked_at", "lease_expires_at"))
        ended = {"status": "FAILED", "error": error, "updated_at": now or timezone.now(), **free}
        return bool(jobs.filter(status="RUNNING").update(**ended))


PARTS = {"repository": Repository}
