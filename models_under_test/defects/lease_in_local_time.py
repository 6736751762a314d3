"""The lease is computed on the wall clock of Seoul and stored as if that were UTC.

A lease of 59 minutes lasts ten hours, and a job whose worker has died waits as long as that.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import UTC, datetime, timedelta, timezone

from models_under_test.domain import LEASE_SECONDS
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository

SEOUL = timezone(timedelta(hours=9))


class Repository(DjangoAIJobRepository):
    def _save(self, job: AIJob, now: datetime) -> None:
        if job.lease_expires_at is not None:
            wall_clock = now.astimezone(SEOUL).replace(tzinfo=None)
            job.lease_expires_at = (wall_clock + timedelta(seconds=LEASE_SECONDS)).replace(tzinfo=UTC)
        super()._save(job, now)


PARTS = {"repository": Repository}
