"""The sweep looks at the last five minutes only, to keep its query small.

After a longer outage of publisher and sweep, what was created in it is never sent.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        since = (now or timezone.now()) - timedelta(minutes=5)
        recent = AIJob.objects.filter(created_at__gte=since).values_list("job_id", flat=True)
        return [job for job in super().unpublished(now) if job[0] in set(recent)]


PARTS = {"repository": Repository}
