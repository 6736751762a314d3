"""Taking orders, and announcing them to the workers."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from renders.models import MapOrder, State

ANNOUNCED_WITHIN = timedelta(seconds=30)


def place(reference: str, customer: str, announce: Callable[[str, str], None], region: str = "") -> None:
    """Store the order and announce it once that is committed.  IntegrityError if the reference is taken."""
    with transaction.atomic():
        MapOrder.objects.create(
            reference=reference, customer_id=customer, region=region, ordered_at=timezone.now()
        )
        transaction.on_commit(lambda: announce(reference, customer))


def send(reference: str, customer: str, queue) -> None:
    """Announce the order to the workers, then note when it was announced."""
    queue.put(reference, customer)
    with transaction.atomic():
        unannounced = MapOrder.objects.filter(
            reference=reference, customer=customer, state=State.WAITING, announced_at=None
        )
        unannounced.update(announced_at=timezone.now())


def send_forgotten(queue) -> None:
    """Run every minute: send what should have been announced by now and was not."""
    forgotten = MapOrder.objects.filter(
        state=State.WAITING, announced_at=None, ordered_at__lte=timezone.now() - ANNOUNCED_WITHIN
    )
    for reference, customer in list(forgotten.order_by("ordered_at").values_list("reference", "customer")):
        send(reference, customer, queue)
