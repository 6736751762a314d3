"""The worker marks the job of a message that it cannot place as FAILED, by the id in the message alone.

A message that names another tenant's job fails that job while its own worker is at it.

Caught by `tenants_never_mix`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import JobStatus, Refusal
from models_under_test.models import AIJob


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if self.answer is Refusal.NO_SUCH_JOB:
            with self.uow:
                poisoned = AIJob.objects.filter(job_id=self._job()[0])
                poisoned.update(status=JobStatus.FAILED, locked_by=None, lease_expires_at=None)
        return attempt


PARTS = {"delivery": Delivery}
