"""The expiry is set "unless it is there already": a takeover keeps the lease of the attempt before it.

That lease is over, so the next delivery takes the job from a worker that has only just begun.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _save(self, job: AIJob, now: datetime) -> None:
        there = AIJob.objects.values_list("lease_expires_at", flat=True).get(pk=job.pk)
        if job.status == JobStatus.RUNNING and there is not None:
            job.lease_expires_at = there
        super()._save(job, now)


PARTS = {"repository": Repository}
