"""mark_done looks at the status only: "RUNNING" is taken to mean "still mine".

A slow worker whose lease has expired then completes the job while another attempt holds it.

Caught by `only_the_holder_finishes`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        current = AIJob.objects.filter(job_id=job_id, status="RUNNING").values_list(
            "attempt_count", flat=True
        )
        return super().mark_done(job_id, tenant_id, current.first() or attempt, result, now)


PARTS = {"repository": Repository}
