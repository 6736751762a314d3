"""A release writes PENDING, "back to where it was", by code from before there was a RETRYING.

Nothing tells a job that was never tried from one that keeps breaking, and nobody counts the retries.

Caught by `transitions_are_legal`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _end_lease(self, job: AIJob, status: JobStatus, now: datetime) -> None:
        super()._end_lease(job, JobStatus.PENDING if status == JobStatus.RETRYING else status, now)


PARTS = {"repository": Repository}
