"""The expiry is cut to whole minutes, "as it reads in the dashboard".

A lease is up to 59 s too short, so a worker that is in time can lose its job to another.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _save(self, job: AIJob, now: datetime) -> None:
        if job.lease_expires_at is not None:
            job.lease_expires_at = job.lease_expires_at.replace(second=0, microsecond=0)
        super()._save(job, now)


PARTS = {"repository": Repository}
