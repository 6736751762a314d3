"""The sweep sets RUNNING jobs whose lease has expired back to PENDING, and so sends them again.

Their messages are still there and will bring them back: each such job now has two, and a worker that
is only slow is robbed of its completion.

Caught by `an_operation_touches_only_its_job`.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        lost = AIJob.objects.filter(status="RUNNING", lease_expires_at__lte=now or timezone.now())
        lost.update(status="PENDING", published_at=None, locked_by=None, lease_expires_at=None)
        return super().unpublished(now)


PARTS = {"repository": Repository}
