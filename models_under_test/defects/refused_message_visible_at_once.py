"""A refused delivery hands its message straight back, so that an idle worker can have it.

That worker is refused as well: three receives are burnt in a second, and the message lies in the DLQ
while the holder still works.

Caught by `a_refused_delivery_waits`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Refusal


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if self.message and self.answer is Refusal.LEASE_LIVE:
            self.queue.change_visibility(self.message.receipt_handle, 0)
        return attempt


PARTS = {"delivery": Delivery}
