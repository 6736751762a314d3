"""The lease is set to the visibility timeout, 3600 s, and the margin of 60 s is forgotten.

The message returns while the lease of its dead receiver is still live, so every crash burns a receive.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import datetime, timedelta

from models_under_test.domain import VISIBILITY_SECONDS
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _save(self, job: AIJob, now: datetime) -> None:
        if job.lease_expires_at is not None:
            job.lease_expires_at = now + timedelta(seconds=VISIBILITY_SECONDS)
        super()._save(job, now)


PARTS = {"repository": Repository}
