"""The row is locked, but what was read before the lock is what is believed.

A call that waits for the lock goes on with the row as it was before the wait: a takeover that was
committed meanwhile is overwritten.

Caught by `one_holder_at_a_time` in the transactions lane.
"""

from typing import Any

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        job = self._named(job_id, tenant_id).first()
        super()._lock(job_id, tenant_id)
        return job


PARTS = {"repository": Repository}
