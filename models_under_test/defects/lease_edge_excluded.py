"""The expiry test is written with ``<`` where the lease ends with ``<=``.

In the very second of its expiry a lease still counts as live, and a takeover is refused.

Caught by `an_expired_lease_can_be_taken_over`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lease_expired(self, job: AIJob, now: datetime) -> bool:
        return job.lease_expires_at is None or job.lease_expires_at < now


PARTS = {"repository": Repository}
