"""The sweep marks all its jobs in one transaction, so that two sweeps never take the same, then sends.

Killed in between, it leaves every one of them marked as sent, and sent by nobody.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
        for job_id, tenant_id in unsent:
            uow.jobs.mark_published(job_id, tenant_id)
    for job_id, tenant_id in unsent:
        queue.send(job_id, tenant_id)


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
