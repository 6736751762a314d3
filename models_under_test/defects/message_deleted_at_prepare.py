"""The worker deletes its message as soon as it has the lease: "from now on the row is what counts".

If it dies, the lease ends and no message will ever bring the job to another worker.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Lease


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if self.message and isinstance(self.answer, Lease):
            self.queue.delete(self.message.receipt_handle)
        return attempt


PARTS = {"delivery": Delivery}
