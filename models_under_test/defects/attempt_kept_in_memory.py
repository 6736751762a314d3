"""Each worker remembers the attempts that it was given, "to save a column in the query", and fences by that.

It does not learn of a takeover by another worker, so a late worker still passes its own fence.

Caught by `only_the_holder_finishes`.
"""

from typing import Any

from models_under_test.domain import Lease
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_running(self, job_id: str, *rest: Any) -> Any:
        answer = super().mark_running(job_id, *rest)
        if isinstance(answer, Lease):
            vars(self).setdefault("attempts", {})[job_id] = answer.attempt
        return answer

    def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> AIJob | None:
        job = self._lock(job_id, tenant_id)
        latest = vars(self).get("attempts", {}).get(job_id, job and job.attempt_count)
        return job if latest == attempt else None


PARTS = {"repository": Repository}
