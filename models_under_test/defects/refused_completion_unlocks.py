"""A completion that is refused unlocks the job before it goes, to leave nothing locked behind.

The lock was the present holder's: anybody can now take the job from it.

Caught by `only_the_holder_finishes`.
"""

from models_under_test.models import AIJob
from models_under_test.unit_of_work import DjangoUnitOfWork


def complete_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
    with uow:
        accepted = uow.jobs.mark_done(job_id, tenant_id, attempt, result)
        if not accepted:
            locked = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id)
            locked.update(locked_by=None, locked_at=None, lease_expires_at=None)
        return accepted


PARTS = {"complete_ai_job": complete_ai_job}
