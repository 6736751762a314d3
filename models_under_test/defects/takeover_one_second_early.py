"""A lease counts as expired when it has a second left: "the clocks are never that exact".

In its last second it can be taken from a worker that is about to finish in time.

Caught by `one_holder_at_a_time`.
"""

from datetime import datetime, timedelta

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def _lease_expired(self, job: AIJob, now: datetime) -> bool:
        return super()._lease_expired(job, now + timedelta(seconds=1))


PARTS = {"repository": Repository}
