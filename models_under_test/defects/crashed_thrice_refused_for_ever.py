"""mark_running refuses a job that has crashed as often as its message could be received: it is "poison".

An operator who has mended the cause redrives the message from the DLQ, and the job is refused as before.

Caught by `an_expired_lease_can_be_taken_over`.
"""

from datetime import datetime

from models_under_test.domain import MAX_RECEIVES
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lease_expired(self, job: AIJob, now: datetime) -> bool:
        return job.attempt_count < MAX_RECEIVES and super()._lease_expired(job, now)


PARTS = {"repository": Repository}
