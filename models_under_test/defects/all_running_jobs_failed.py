"""mark_failed ends with ``filter(tenant, status=RUNNING).update(...)``: the job id was lost in a refactoring.

One failed job takes all of its tenant's running jobs with it.

Caught by `an_operation_touches_only_its_job`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_failed(
        self, job_id: str, tenant_id: str, attempt: int, error: str, now: datetime | None = None
    ) -> bool:
        accepted = super().mark_failed(job_id, tenant_id, attempt, error, now)
        running = AIJob.objects.filter(tenant_id=tenant_id, status="RUNNING")
        if accepted:
            running.update(status="FAILED", error=error, locked_by=None, lease_expires_at=None)
        return accepted


PARTS = {"repository": Repository}
