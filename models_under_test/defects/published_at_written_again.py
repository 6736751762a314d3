"""mark_published writes whatever the job has become since: the filter on PENDING looked needless.

A publisher that comes after the sweep moves published_at of a job that was sent long ago, or has ended.

Caught by `operations_write_by_the_table`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_published(self, job_id: str, tenant_id: str, now: datetime | None = None) -> None:
        now = now or timezone.now()
        AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id).update(published_at=now, updated_at=now)


PARTS = {"repository": Repository}
