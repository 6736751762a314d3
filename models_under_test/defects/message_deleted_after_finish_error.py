"""Whatever finish raises, the worker goes on to acknowledge: "the next job must not wait for this one".

When it was the commit that failed, the message is deleted while the job is still RUNNING.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Outcome


class Delivery(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        try:
            return super().finish(outcome)
        except Exception:
            self.next_step = "acknowledge"
            raise


PARTS = {"delivery": Delivery}
