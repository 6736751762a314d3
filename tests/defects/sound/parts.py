"""Parts of sound systems that are built otherwise than ours: without transactions, with retries, with more.

Each was once called broken by a claim that knew only our own way of doing it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from math import ceil
from typing import Any, ClassVar

from django.core.cache import cache
from django.db import OperationalError, transaction
from django.utils import timezone

from models_under_test import use_cases
from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Failed, JobStatus, Lease, Outcome, Publisher, Queue, Refusal
from models_under_test.models import AIJob, Tenant
from models_under_test.repositories import DjangoAIJobRepository
from models_under_test.unit_of_work import DjangoUnitOfWork
from models_under_test.variants.parts import RenewingDelivery, RenewingRepository, UnfencedRepository


def create_in_autocommit(
    uow: DjangoUnitOfWork, publisher: Publisher, job_id: str, tenant_id: str, request: str = ""
) -> None:
    now = timezone.now()
    AIJob.objects.create(job_id=job_id, tenant_id=tenant_id, request=request, created_at=now, updated_at=now)
    publisher.enqueue(job_id, tenant_id)


class FailsAndDeletesInOneStep(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        if not isinstance(outcome, Failed) or self.message is None:
            return super().finish(outcome)
        job_id, tenant_id = self._job()
        failed = AIJob.objects.filter(
            job_id=job_id, tenant_id=tenant_id, status=JobStatus.RUNNING, attempt_count=self.attempt
        ).update(status=JobStatus.FAILED, locked_by=None, locked_at=None, lease_expires_at=None)
        if failed:
            self.queue.delete(self.message.receipt_handle)
        self.next_step = None
        return bool(failed)


def publish_or_leave_it_to_the_sweep(
    uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str
) -> None:
    try:
        queue.send(job_id, tenant_id)
    except Exception:  # noqa: BLE001  whatever it was, the sweep will send the job
        return
    with uow:
        uow.jobs.mark_published(job_id, tenant_id)


def publish_with_retries(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    queue.send(job_id, tenant_id)
    for tries_left in (2, 1, 0):
        try:
            uow.jobs.mark_published(job_id, tenant_id)
            return
        except OperationalError:
            if not tries_left:
                raise


def fail_and_notify(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, error: str) -> bool:
    with uow:
        failed = uow.jobs.mark_failed(job_id, tenant_id, attempt, error)
    with suppress(OperationalError), transaction.atomic():  # a note that may be missing
        Tenant.objects.filter(code=tenant_id).first()
    return failed


def fail_with_a_savepoint(
    uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, error: str
) -> bool:
    with uow:
        failed = uow.jobs.mark_failed(job_id, tenant_id, attempt, error)
        with suppress(OperationalError), transaction.atomic():
            Tenant.objects.filter(code=tenant_id).first()
    return failed


def sweep_with_retries(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
    for job_id, tenant_id in unsent:
        for tries_left in (2, 1, 0):
            try:
                use_cases.publish_ai_job(uow, queue, job_id, tenant_id)
                break
            except OperationalError:
                if not tries_left:
                    raise


def sweep_that_goes_on(uow: DjangoUnitOfWork, queue: Queue) -> None:
    with uow:
        unsent = uow.jobs.unpublished()
    for job_id, tenant_id in unsent:
        with suppress(Exception):  # the next sweep will try again
            use_cases.publish_ai_job(uow, queue, job_id, tenant_id)


class HidesUntilTheLeaseEnds(AIJobDelivery):
    """A refused delivery hides its message until the lease that it saw ends, as a step of its own."""

    seconds: int | None = None

    def prepare(self) -> int | None:
        attempt = super().prepare()
        if self.answer is Refusal.LEASE_LIVE:
            ends = AIJob.objects.get(job_id=self._job()[0]).lease_expires_at or timezone.now()
            self.seconds = max(0, ceil((ends - timezone.now()) / timedelta(seconds=1)))
            self.next_step = "acknowledge"
        return attempt

    def acknowledge(self) -> None:
        if self.seconds is None or self.message is None:
            super().acknowledge()
        else:
            self.queue.change_visibility(self.message.receipt_handle, self.seconds)
            self.next_step = None


class RenewsAndHidesUntilTheLeaseEnds(HidesUntilTheLeaseEnds, RenewingDelivery):
    pass


class RemembersById(DjangoAIJobRepository):
    """Its process remembers what never changes of a job: the tenant in a dictionary, the end in a cache."""

    tenant_of: ClassVar[dict[str, str]] = {}

    def _acquire(self, job_id: str, tenant_id: str, worker_id: str, now: datetime) -> Lease | Refusal:
        if self.tenant_of.get(job_id, tenant_id) != tenant_id:
            return Refusal.NO_SUCH_JOB
        if cache.get(f"ended-{job_id}"):
            return Refusal.ALREADY_ENDED
        answer = super()._acquire(job_id, tenant_id, worker_id, now)
        if answer is not Refusal.NO_SUCH_JOB:
            self.tenant_of[job_id] = tenant_id
        if answer is Refusal.ALREADY_ENDED:
            cache.set(f"ended-{job_id}", True)
        return answer


class UnfencedRenewingRepository(UnfencedRepository, RenewingRepository):
    pass


def prepare_with_retries(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, worker_id: str) -> Any:
    """After a lost answer the second try finds the lease of the first, and says so."""
    try:
        return use_cases.prepare_ai_job(uow, job_id, tenant_id, worker_id)
    except OperationalError:
        answer = use_cases.prepare_ai_job(uow, job_id, tenant_id, worker_id)
        assert answer is None or isinstance(answer, Lease | Refusal)
        return answer
