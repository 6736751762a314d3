"""The publisher logs whatever the queue raises and goes on, since "SQS errors are only ever momentary".

Then it notes that it has sent the job, and neither publisher nor sweep will ever look at it again.

Caught by `no_job_is_stranded`.
"""

import logging

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def publish_ai_job(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    try:
        queue.send(job_id, tenant_id)
    except Exception:  # noqa: BLE001  the defect
        logging.getLogger(__name__).warning("could not send %s", job_id)
    with uow:
        uow.jobs.mark_published(job_id, tenant_id)


PARTS = {"publish_ai_job": publish_ai_job}
