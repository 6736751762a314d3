"""The log is written after the commit of SENT: "a log that fails must not undo a message that was sent".

A worker that is killed in between leaves a notification that is SENT for ever and has no log.

Caught by `a_job_completes_at_most_once`.
"""

from django.utils import timezone

from models_under_test.models import Notification, NotificationLog
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_notification_log(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, attempt: int, receipt: str
) -> bool:
    with uow:
        sent = uow.jobs._leave_running(notification_id, tenant_id, attempt, "SENT", "", timezone.now())
    if sent:
        with uow:
            about = Notification.objects.get(notification_id=notification_id)
            shown = {"payload": receipt, "created_at": timezone.now()}
            NotificationLog.objects.get_or_create(notification=about, defaults=shown)
    return sent


PARTS = {"create_notification_log": create_notification_log}
