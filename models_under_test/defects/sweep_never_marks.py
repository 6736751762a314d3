"""The sweep sends what it finds and writes nothing: published_at is "the publisher's column".

Every run sends the same jobs again until a worker takes them.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
    for job_id, tenant_id in unsent:
        queue.send(job_id, tenant_id)


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
