"""mark_running treats RUNNING like PENDING: "the message came back, so its worker must be dead".

A duplicate delivery then gives the job to a second worker while the first holds a live lease.

Caught by `one_holder_at_a_time`.
"""

from datetime import datetime

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lease_expired(self, job: AIJob, now: datetime) -> bool:
        return True


PARTS = {"repository": Repository}
