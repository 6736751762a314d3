"""The sweep's age limit is written with ``lt`` where a job of exactly 60 s is due.

A sweep that runs once a minute passes over the very job that its last run found too young.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def unpublished(self, now: datetime | None = None) -> Sequence[tuple[str, str]]:
        return super().unpublished((now or timezone.now()) - timedelta(microseconds=1))


PARTS = {"repository": Repository}
