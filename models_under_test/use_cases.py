"""What the application does with AI jobs, each in one transaction of its own.

``video_use_cases.py`` and ``messaging_use_cases.py`` are the same for the other pipelines.
"""

from __future__ import annotations

from models_under_test.domain import Lease, Publisher, Queue, Refusal
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_ai_job(
    uow: DjangoUnitOfWork, publisher: Publisher, job_id: str, tenant_id: str, request: str = ""
) -> None:
    """Store a PENDING job; once that is committed, hand it to the publisher.

    ``request`` is what inference is asked for, as JSON text.  Raises ``IntegrityError`` when the id is taken:
    so a caller whose first try was never answered may try again and do no harm.
    """
    with uow:
        uow.jobs.add(job_id, tenant_id, request)
        uow.after_commit(lambda: publisher.enqueue(job_id, tenant_id))


def publish_ai_job(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    """Send, then store that it was sent: a crash in between sends the job twice, never not at all."""
    queue.send(job_id, tenant_id)
    with uow:
        uow.jobs.mark_published(job_id, tenant_id)


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    """The sweep: publish the jobs whose publisher died between commit and send."""
    with uow:
        unsent = uow.jobs.unpublished()
    for job_id, tenant_id in unsent:
        publish_ai_job(uow, queue, job_id, tenant_id)


def prepare_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, worker_id: str) -> Lease | Refusal:
    """Lock the row and take the lease; return it, or the reason why this delivery gets none."""
    with uow:
        return uow.jobs.mark_running(job_id, tenant_id, worker_id)


def complete_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
    """Store DONE and the result in one commit.  Return False when ``attempt`` no longer owns the job."""
    with uow:
        return uow.jobs.mark_done(job_id, tenant_id, attempt, result)


def fail_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, error: str) -> bool:
    """Store FAILED.  Return False when ``attempt`` no longer owns the job."""
    with uow:
        return uow.jobs.mark_failed(job_id, tenant_id, attempt, error)


def release_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, error: str) -> bool:
    """Give the job back after a transient error: another attempt begins when its message returns."""
    with uow:
        return uow.jobs.mark_retrying(job_id, tenant_id, attempt, error)
