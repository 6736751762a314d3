"""A completion leaves ``locked_by`` in the row: "then we can see who did it".

The job looks locked for ever: a count of busy workers, or an unlock by hand, takes it for running.

Caught by `running_means_leased`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _end_lease(self, job: AIJob, status: JobStatus, now: datetime) -> None:
        holder = job.locked_by
        super()._end_lease(job, status, now)
        if status == JobStatus.DONE:
            AIJob.objects.filter(pk=job.pk).update(locked_by=holder)


PARTS = {"repository": Repository}
