"""create_ai_job hands the job to the publisher inside its transaction, to lose no time.

If the commit fails, or is slower than the queue, a worker receives a message for a job that is not there.

Caught by `published_means_committed`.
"""

from models_under_test.domain import Publisher
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_ai_job(
    uow: DjangoUnitOfWork, publisher: Publisher, job_id: str, tenant_id: str, request: str = ""
) -> None:
    with uow:
        uow.jobs.add(job_id, tenant_id, request)
        publisher.enqueue(job_id, tenant_id)


PARTS = {"create_ai_job": create_ai_job}
