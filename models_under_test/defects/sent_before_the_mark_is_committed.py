"""The publisher sends inside its transaction, after its mark, and workers skip rows that are locked.

A worker that is faster than the publisher's commit takes the job for missing: its message goes back for an
hour, and three such receives lose it to the DLQ.

Caught by `operations_answer_by_the_table` in the transactions lane.
"""

from typing import Any

from models_under_test.domain import Queue
from models_under_test.repositories import DjangoAIJobRepository
from models_under_test.unit_of_work import DjangoUnitOfWork


class Repository(DjangoAIJobRepository):
    def _lock(self, job_id: str, tenant_id: str) -> Any | None:
        return self._named(job_id, tenant_id).select_for_update(skip_locked=True).first()


def publish_ai_job(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    with uow:
        uow.jobs.mark_published(job_id, tenant_id)
        queue.send(job_id, tenant_id)


PARTS: dict[str, Any] = {"repository": Repository, "publish_ai_job": publish_ai_job}
