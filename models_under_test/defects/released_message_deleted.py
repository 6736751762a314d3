"""Every outcome is acknowledged alike: a release has been written, so the message has been "handled".

The job is RETRYING and nothing is left that would start the retry.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Outcome


class Delivery(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        accepted = super().finish(outcome)
        if accepted:
            self.next_step = "acknowledge"
        return accepted


PARTS = {"delivery": Delivery}
