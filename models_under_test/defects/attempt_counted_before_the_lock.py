"""mark_running counts its attempt from what it read before it had the lock; all else it reads under the lock.

When another attempt begins and ends in between, two attempts bear one number, and the fence cannot tell
them apart.

Caught by `attempts_count_acquisitions` in the transactions lane.
"""

from datetime import datetime
from typing import Any

from models_under_test.domain import Lease, Refusal
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(
        self, job_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        self.attempts = self._named(job_id, tenant_id).values_list("attempt_count", flat=True).first() or 0
        return super().mark_running(job_id, tenant_id, worker_id, now)

    def _save(self, job: Any, now: datetime) -> None:
        if job.status == self.statuses.running:
            job.attempt_count = self.attempts + 1
        super()._save(job, now)


PARTS = {"repository": Repository}
