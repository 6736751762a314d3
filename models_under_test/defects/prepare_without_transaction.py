"""prepare_ai_job opens no transaction, and the lease is written by a second statement.

A worker killed between the two leaves a job RUNNING without a lease: nothing ever expires.

Caught by `running_means_leased`.
"""

from datetime import datetime
from typing import Any

from models_under_test.domain import Lease, Refusal
from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository
from models_under_test.unit_of_work import DjangoUnitOfWork


class Repository(DjangoAIJobRepository):
    def _save(self, job: AIJob, now: datetime) -> None:
        AIJob.objects.filter(pk=job.pk).update(status=job.status)
        super()._save(job, now)


def prepare_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, worker_id: str) -> Lease | Refusal:
    return uow.jobs.mark_running(job_id, tenant_id, worker_id)


PARTS: dict[str, Any] = {"repository": Repository, "prepare_ai_job": prepare_ai_job}
