"""complete_ai_job checks its attempt in one transaction and writes, without looking again, in a second one.

Status and result are one commit, so no kill leaves half of them; but a worker that takes the job over
between the two transactions has it ended under its hands.

Caught by `only_the_holder_finishes` in the transactions lane.
"""

from django.utils import timezone

from models_under_test.domain import JobStatus
from models_under_test.models import AIResult
from models_under_test.unit_of_work import DjangoUnitOfWork


def complete_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
    now = timezone.now()
    with uow:
        job = uow.jobs._lock_for(job_id, tenant_id, attempt)
    if job is None or job.status != JobStatus.RUNNING:
        return job is not None and job.status == JobStatus.DONE
    with uow:
        uow.jobs._end_lease(job, JobStatus.DONE, now)
        AIResult.objects.create(job=job, payload=result, created_at=now)
    return True


PARTS = {"complete_ai_job": complete_ai_job}
