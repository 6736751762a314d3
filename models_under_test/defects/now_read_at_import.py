"""``now=timezone.now()`` as a default argument: it is read once, when the worker process starts.

Its clock stands still: no lease that it sees ever expires, and a dead worker's job waits for a restart.

Caught by `a_lease_lasts_its_declared_length`.
"""

from datetime import datetime

from django.utils import timezone

from models_under_test.domain import Lease, Refusal
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self,
        job_id: str,
        tenant_id: str,
        worker_id: str,
        now: datetime | None = timezone.now(),  # noqa: B008
    ) -> Lease | Refusal:
        return super().mark_running(job_id, tenant_id, worker_id, now)


PARTS = {"repository": Repository}
