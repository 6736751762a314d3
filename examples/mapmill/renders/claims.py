"""Who renders which order: a host claims it, sends heartbeats while it renders, and finishes.

Every change is one UPDATE that says in its WHERE what must still be so; nothing is locked in between.
"""

from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from renders.models import OVER, MapOrder, Sheet, State

CLAIM_FOR = timedelta(seconds=90)


class Claim(NamedTuple):
    reference: str
    customer: str
    number: int


def claim(reference: str, customer: str, host: str) -> Claim | None:
    """Claim an order that waits, or whose claim has run out.  None: held, over, or not that customer's."""
    now = timezone.now()
    to_be_had = Q(state__in=(State.WAITING, State.POSTPONED)) | Q(state=State.CLAIMED, claimed_until__lte=now)
    with transaction.atomic():
        order = MapOrder.objects.filter(reference=reference, customer=customer)
        claimed = order.filter(to_be_had).update(
            state=State.CLAIMED, claim_no=F("claim_no") + 1, claimed_by=host, claimed_until=now + CLAIM_FOR
        )
        if not claimed:
            return None
        return Claim(reference, customer, order.values_list("claim_no", flat=True).get())


def heartbeat(claim: Claim) -> bool:
    """Keep the claim for another 90 s; False once the order is no longer this claim's to render."""
    beating = _order_of(claim).filter(state=State.CLAIMED)
    return beating.update(claimed_until=F("claimed_until") + CLAIM_FOR) == 1


def finish(claim: Claim, state: State, detail: str) -> bool:
    """End the claim: RENDERED into the file ``detail``, else UNRENDERABLE or POSTPONED for that reason.

    False if another claim has taken the order since.  Finishing twice in the same way is fine.
    """
    order, rendered = _order_of(claim), state == State.RENDERED
    with transaction.atomic():
        ended = order.filter(state=State.CLAIMED).update(
            state=state, claimed_by="", claimed_until=None, remark="" if rendered else detail
        )
        if not ended:
            return order.filter(state=state).exists()
        if rendered:
            Sheet.objects.create(order_id=claim.reference, claim_no=claim.number, path=detail)
        return True


def is_over(reference: str, customer: str) -> bool:
    return MapOrder.objects.filter(reference=reference, customer=customer, state__in=OVER).exists()


def _order_of(claim: Claim) -> QuerySet[MapOrder]:
    """The order, unless it has been claimed anew since."""
    return MapOrder.objects.filter(reference=claim.reference, customer=claim.customer, claim_no=claim.number)
