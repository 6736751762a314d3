"""The publisher writes published_at first and sends afterwards, so that nothing is ever sent twice.

If it dies in between, the sweep takes the job for sent, and nobody sends it.

Caught by `no_job_is_stranded`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def publish_ai_job(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    with uow:
        uow.jobs.mark_published(job_id, tenant_id)
    queue.send(job_id, tenant_id)


PARTS = {"publish_ai_job": publish_ai_job}
