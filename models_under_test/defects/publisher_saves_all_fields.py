"""mark_published loads the job, sets published_at and calls save(), which writes all fields back.

A worker that was faster than the publisher has acquired the job meanwhile, and it is PENDING again.

Caught by `transitions_are_legal` in the transactions lane.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_published(self, job_id: str, tenant_id: str, now: datetime | None = None) -> None:
        unsent = self._named(job_id, tenant_id).filter(status=self.statuses.pending, published_at=None)
        job = unsent.first()
        if job is not None:
            job.published_at = job.updated_at = now or timezone.now()
            job.save()


PARTS = {"repository": Repository}
