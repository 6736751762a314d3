"""prepare_ai_job takes the lease in one transaction, and a second one counts the attempt.

A worker killed between the two leaves a live lease under the number of the attempt before it, which
may then finish the job.

Caught by `attempts_count_acquisitions`.
"""

from django.db.models import F

from models_under_test.domain import Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.unit_of_work import DjangoUnitOfWork


def prepare_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, worker_id: str) -> Lease | Refusal:
    jobs = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id)
    with uow:
        answer = uow.jobs.mark_running(job_id, tenant_id, worker_id)
        if isinstance(answer, Lease):
            jobs.update(attempt_count=F("attempt_count") - 1)
    if isinstance(answer, Lease):
        with uow:
            jobs.update(attempt_count=F("attempt_count") + 1)
    return answer


PARTS = {"prepare_ai_job": prepare_ai_job}
