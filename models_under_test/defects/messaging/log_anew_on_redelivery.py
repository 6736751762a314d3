"""A delivery of a notification that is SENT logs it anew: "a message was delivered, so there is a log".

SQS delivers twice, and the log of what was sent is replaced by one of what was not.

Caught by `a_result_is_written_once`.
"""

from django.utils import timezone

from models_under_test import messaging_use_cases
from models_under_test.domain import Lease, Refusal
from models_under_test.models import NotificationLog
from models_under_test.unit_of_work import DjangoUnitOfWork


def prepare_notification(
    uow: DjangoUnitOfWork, notification_id: str, tenant_id: str, worker_id: str
) -> Lease | Refusal:
    answer = messaging_use_cases.prepare_notification(uow, notification_id, tenant_id, worker_id)
    if answer is Refusal.ALREADY_ENDED:
        logs = NotificationLog.objects.filter(notification__notification_id=notification_id)
        logs.update(payload="delivered again", created_at=timezone.now())
    return answer


PARTS = {"prepare_notification": prepare_notification}
