"""The sweep reads the tenant off its first job and sends all of them in that tenant's name.

Every worker refuses such a message; the job stays PENDING, and each sweep adds one more to the DLQ.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork
from models_under_test.use_cases import publish_ai_job


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
    for job_id, _ in unsent:
        publish_ai_job(uow, queue, job_id, tenant_id=unsent[0][1])


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
