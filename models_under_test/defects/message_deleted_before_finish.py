"""The message is deleted first and the job finished after, so that no duplicate can come in between.

A worker that dies between the two leaves a job RUNNING that no message will ever bring back.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Completed, Outcome


class Delivery(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        if self.message and isinstance(outcome, Completed):
            self.queue.delete(self.message.receipt_handle)
        return super().finish(outcome)


PARTS = {"delivery": Delivery}
