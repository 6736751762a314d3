"""A release sets ``attempt_count`` back to 0: "a transient error should not count against the job".

Tokens are given twice: a worker of long ago finishes in the name of the present holder.

Caught by `operations_write_by_the_table`.
"""

from datetime import datetime

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _end_lease(self, job: AIJob, status: JobStatus, now: datetime) -> None:
        if status == JobStatus.RETRYING:
            job.attempt_count = 0
        super()._end_lease(job, status, now)


PARTS = {"repository": Repository}
