"""The sweep loads its jobs, sends each and calls save() on what it has loaded.

A worker that is faster than the sweep has acquired the job meanwhile, and it is PENDING again.

Caught by `an_operation_touches_only_its_job` in the transactions lane.
"""

from datetime import timedelta

from django.utils import timezone

from models_under_test.domain import Queue
from models_under_test.models import AIJob
from models_under_test.unit_of_work import DjangoUnitOfWork


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    old = timezone.now() - timedelta(seconds=uow.jobs.recover_after_seconds)
    unsent = AIJob.objects.filter(status="PENDING", published_at=None, created_at__lte=old)
    for job in unsent.order_by("pk"):
        queue.send(job.job_id, job.tenant_id)
        job.published_at = job.updated_at = timezone.now()
        with uow:
            job.save()


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
