"""mark_running first frees all of the tenant's jobs whose lease has expired, "since we are here anyway".

A job that nobody asked about is RETRYING when its slow worker completes it, and the result is refused.

Caught by `an_operation_touches_only_its_job`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        running = AIJob.objects.filter(tenant_id=tenant_id, status="RUNNING")
        expired = running.filter(lease_expires_at__lte=now or timezone.now())
        expired.update(status="RETRYING", locked_by=None, lease_expires_at=None)
        return super().mark_running(job_id, tenant_id, worker_id, now)


PARTS = {"repository": Repository}
