"""The sweep was written for the first customer, and its tenant is still the default of a parameter.

What a later customer's publisher leaves unsent, nobody sends.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from collections.abc import Sequence
from datetime import datetime

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def unpublished(self, now: datetime | None = None, tenant_id: str = "t1") -> Sequence[tuple[str, str]]:
        return [job for job in super().unpublished(now) if job[1] == tenant_id]


PARTS = {"repository": Repository}
