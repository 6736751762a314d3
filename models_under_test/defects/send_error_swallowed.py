"""The publisher suppresses whatever the queue raises, since "SQS errors are only ever momentary".

Then it notes that it has sent the job, and neither publisher nor sweep will ever look at it again.

Caught by `no_job_is_stranded`.
"""

from contextlib import suppress

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def publish_ai_job(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    with suppress(Exception):
        queue.send(job_id, tenant_id)
    with uow:
        uow.jobs.mark_published(job_id, tenant_id)


PARTS = {"publish_ai_job": publish_ai_job}
