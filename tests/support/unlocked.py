"""AI jobs without a lock: a row is read by a plain SELECT, and then written."""

from __future__ import annotations

from typing import Any

from models_under_test.binding import AIJobsBinding

UNLOCKED = f"{__name__}:Unlocked"


class Unlocked(AIJobsBinding):
    """Two that read before either commits both act on what they have read."""

    def parts(self) -> dict[str, Any]:
        from models_under_test.repositories import DjangoAIJobRepository

        class Repository(DjangoAIJobRepository):
            def _lock(self, job_id: str, tenant_id: str) -> Any | None:
                return self._named(job_id, tenant_id).first()

        return {**super().parts(), "repository": Repository}
