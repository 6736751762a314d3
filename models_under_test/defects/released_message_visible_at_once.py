"""A worker that gives its job back hands the message back at once too: "why should the retry wait?"

While what broke is still broken, all receives are burned within a second, and the job ends in the DLQ.

Caught by `messages_are_not_hurried`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Outcome, TransientError


class Delivery(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        accepted = super().finish(outcome)
        if accepted and isinstance(outcome, TransientError) and self.message is not None:
            self.queue.change_visibility(self.message.receipt_handle, 0)
        return accepted


PARTS = {"delivery": Delivery}
