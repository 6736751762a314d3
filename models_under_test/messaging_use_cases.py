"""What the application does with notifications, each in one transaction of its own.

Inference is the call of a provider here, which no transaction of ours can take back.  So one thing is
promised: there is exactly one log for each notification that was sent.  That the provider is called once is
not: a worker killed between the call and the commit of the log is taken over, and the provider is called
again.  Only a provider that is given our notification id can see that the two calls are one.
"""

from __future__ import annotations

from models_under_test.domain import Lease, Publisher, Queue, Refusal
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_notification(
    uow: DjangoUnitOfWork, publisher: Publisher, notification_id: str, tenant_id: str, request: str = ""
) -> None:
    """Store a PENDING notification; once that is committed, hand it to the publisher.

    Raises ``IntegrityError`` when the id is taken.
    """
    with uow:
        uow.jobs.add(notification_id, tenant_id, request)
        uow.after_commit(lambda: publisher.enqueue(notification_id, tenant_id))


def publish_notification(uow: DjangoUnitOfWork, queue: Queue, notification_id: str, tenant_id: str) -> None:
    """Send, then store that it was sent: a crash in between sends it twice, and it is logged once."""
    queue.send(notification_id, tenant_id)
    with uow:
        uow.jobs.mark_published(notification_id, tenant_id)


def recover_unpublished_notifications(uow: DjangoUnitOfWork, queue: Queue) -> None:
    """The sweep: publish the notifications whose publisher died between commit and send."""
    with uow:
        unsent = uow.jobs.unpublished()
    for notification_id, tenant_id in unsent:
        publish_notification(uow, queue, notification_id, tenant_id)


def prepare_notification(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, worker_id: str
) -> Lease | Refusal:
    """Lock the row and take the lease; return it, or the reason why this delivery gets none."""
    with uow:
        return uow.jobs.mark_sending(notification_id, tenant_id, worker_id)


def create_notification_log(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, attempt: int, receipt: str
) -> bool:
    """Store SENT and its one log in one commit, after the provider answered with ``receipt``.

    However often the queue delivers, there is one log for each notification sent: a delivery of one that is
    SENT gets no lease, and an attempt that no longer owns the notification gets False and writes nothing.
    The provider may have been called more often than that, once by each attempt that was killed in between.
    """
    with uow:
        return uow.jobs.mark_sent(notification_id, tenant_id, attempt, receipt)


def fail_notification(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, attempt: int, error: str
) -> bool:
    """Store FAILED, without a log.  Return False when ``attempt`` no longer owns the notification."""
    with uow:
        return uow.jobs.mark_failed(notification_id, tenant_id, attempt, error)


def release_notification(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, attempt: int, error: str
) -> bool:
    """Give it back after a transient error: another attempt begins when its message returns."""
    with uow:
        return uow.jobs.mark_retrying(notification_id, tenant_id, attempt, error)
