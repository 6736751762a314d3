"""mark_done reads its row without select_for_update: the attempt that it was shown is proof enough.

A late worker that is between its check and its write when another one takes the job over ends it all the
same.

Caught by `only_the_holder_finishes` in the transactions lane.
"""

from datetime import datetime
from typing import Any

from models_under_test.repositories import DjangoAIJobRepository


class Unlocked(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        return self._named(job_id, tenant_id).first()


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        return Unlocked().mark_done(job_id, tenant_id, attempt, result, now)


PARTS = {"repository": Repository}
