"""A release leaves ``lease_expires_at`` in the row, "as a back-off until the next attempt".

The row says RETRYING and leased at once, and a monitor that reads the lease sees a worker that is not there.

Caught by `running_means_leased`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _end_lease(self, job: AIJob, status: JobStatus, now: datetime) -> None:
        lease = job.lease_expires_at
        super()._end_lease(job, status, now)
        if status == JobStatus.RETRYING:
            AIJob.objects.filter(pk=job.pk).update(lease_expires_at=lease)


PARTS = {"repository": Repository}
