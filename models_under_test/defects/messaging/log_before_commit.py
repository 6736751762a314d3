"""The log is written before the transaction of SENT, to have it "even if the commit goes wrong".

A worker that is killed in between leaves a log of a notification that is still SENDING, and may yet fail.

Caught by `a_job_completes_at_most_once`.
"""

from django.utils import timezone

from models_under_test.models import Notification, NotificationLog
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_notification_log(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, attempt: int, receipt: str
) -> bool:
    mine = Notification.objects.filter(notification_id=notification_id, tenant_id=tenant_id)
    about = mine.filter(status="SENDING", attempt_count=attempt).first()
    if about is not None:
        shown = {"payload": receipt, "created_at": timezone.now()}
        NotificationLog.objects.get_or_create(notification=about, defaults=shown)
    with uow:
        return uow.jobs._leave_running(notification_id, tenant_id, attempt, "SENT", "", timezone.now())


PARTS = {"create_notification_log": create_notification_log}
