"""mark_sending looks the notification up by its id alone: "ids are unique, so the tenant is only for show".

A message of another tenant has a notification sent that is not its own.

Caught by `tenants_never_mix`.
"""

from datetime import datetime

from models_under_test.domain import Lease, Refusal
from models_under_test.models import Notification
from models_under_test.repositories import DjangoNotificationRepository


class Repository(DjangoNotificationRepository):
    def mark_sending(
        self, notification_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        named = Notification.objects.filter(notification_id=notification_id)
        owner = named.values_list("tenant_id", flat=True).first()
        return super().mark_sending(notification_id, owner or tenant_id, worker_id, now)


PARTS = {"repository": Repository}
