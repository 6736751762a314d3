"""The worker looks at the job as soon as it has its message, and lets a duplicate of a running one go.

It does not look at the lease: a job whose worker has died is RUNNING too, and is let go for ever.

Caught by `every_job_ends`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.models import AIJob


class Delivery(AIJobDelivery):
    def receive(self) -> bool:
        received = super().receive()
        if self.next_step and AIJob.objects.filter(job_id=self._job()[0], status="RUNNING").exists():
            self.next_step = None
        return received


PARTS = {"delivery": Delivery}
