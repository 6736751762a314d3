"""The sweep takes every unpublished job, however young: "the sooner, the better".

It races every publisher that is about to send, and most jobs are sent twice.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from collections.abc import Sequence
from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        unsent = AIJob.objects.filter(status="PENDING", published_at=None)
        return list(unsent.order_by("pk").values_list("job_id", "tenant_id"))


PARTS = {"repository": Repository}
