"""The sweep asks for an empty published_at only: a job without one "cannot have been sent".

It can: its publisher died after sending.  RUNNING and ended jobs are then sent again by every sweep,
since mark_published leaves alone what is not PENDING.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from models_under_test.domain import RECOVER_AFTER_SECONDS
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        since = (now or timezone.now()) - timedelta(seconds=RECOVER_AFTER_SECONDS)
        unsent = AIJob.objects.filter(published_at=None, created_at__lte=since)
        return list(unsent.order_by("pk").values_list("job_id", "tenant_id"))


PARTS = {"repository": Repository}
