"""A cache of ended jobs spares the database a look at duplicates; it is written before the commit.

When that commit fails, the job is still RUNNING, and its message is deleted as that of an ended one.

Caught by `messages_outlive_unfinished_jobs`.
"""

from datetime import datetime
from typing import Any, ClassVar

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import TERMINAL, JobStatus
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    ended: ClassVar[set[int]] = set()  # in the deployed system, a cache server that all workers ask

    def _end_lease(self, job: AIJob, status: JobStatus, now: datetime) -> None:
        if status in TERMINAL:
            self.ended.add(job.pk)
        super()._end_lease(job, status, now)


class Delivery(AIJobDelivery):
    def receive(self) -> bool:
        received = super().receive()
        named = AIJob.objects.filter(job_id=self._job()[0]) if self.next_step else AIJob.objects.none()
        if named.values_list("pk", flat=True).first() in self.uow.jobs.ended:
            self.next_step = "acknowledge"
        return received


PARTS: dict[str, Any] = {"repository": Repository, "delivery": Delivery}
