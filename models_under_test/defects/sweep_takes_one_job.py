"""The sweep publishes one job a run, to keep it short.

When a publisher dies with its in-tray full, the last of those jobs waits a run for each before it.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork
from models_under_test.use_cases import publish_ai_job


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
    for job_id, tenant_id in unsent[:1]:
        publish_ai_job(uow, queue, job_id, tenant_id)


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
