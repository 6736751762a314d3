"""The sweep collects its sends in lambdas and runs them at the end; all of them see the last job.

That job is sent once for each of the others, and the others not at all.

Caught by `recovery_sends_only_unsent_jobs`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork
from models_under_test.use_cases import publish_ai_job


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
    # What the linter says of this line is the defect.
    sends = [lambda: publish_ai_job(uow, queue, *job) for job in unsent]  # noqa: B023
    for send in sends:
        send()


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
