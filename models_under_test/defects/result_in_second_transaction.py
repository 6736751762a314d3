"""Status and result are committed one after the other, to hold the row lock no longer than needed.

A worker that is killed in between leaves a job that is DONE for ever and has no result.

Caught by `a_job_completes_at_most_once`.
"""

from django.utils import timezone

from models_under_test.domain import JobStatus
from models_under_test.models import AIJob, AIResult
from models_under_test.unit_of_work import DjangoUnitOfWork


def complete_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
    with uow:
        accepted = uow.jobs._leave_running(job_id, tenant_id, attempt, JobStatus.DONE, "", timezone.now())
    if accepted:
        with uow:
            job = AIJob.objects.get(job_id=job_id)
            AIResult.objects.get_or_create(
                job=job, defaults={"payload": result, "created_at": timezone.now()}
            )
    return accepted


PARTS = {"complete_ai_job": complete_ai_job}
