"""The lease is added to the local time of Berlin, and Python adds to the wall clock, not to the time.

In the night in which summer time ends a lease taken before the change lasts an hour too long.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from models_under_test.domain import Lease, Refusal
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        local = (now or timezone.now()).astimezone(ZoneInfo("Europe/Berlin"))
        return super().mark_running(job_id, tenant_id, worker_id, local)


PARTS = {"repository": Repository}
