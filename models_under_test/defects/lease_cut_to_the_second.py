"""The expiry is cut to whole seconds, "as the old column had them".

A lease is up to a second too short: a worker that asks in that second gets a job that is still held.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _save(self, job: AIJob, now: datetime) -> None:
        if job.lease_expires_at is not None:
            job.lease_expires_at = job.lease_expires_at.replace(microsecond=0)
        super()._save(job, now)


PARTS = {"repository": Repository}
