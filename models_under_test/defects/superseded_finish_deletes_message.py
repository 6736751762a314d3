"""The worker acknowledges whatever complete_ai_job answers: it has done its part, and wants no repeat.

Refused, it has been superseded: it asks to delete the one message that the new holder depends on.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Completed, Outcome


class Delivery(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        accepted = super().finish(outcome)
        if isinstance(outcome, Completed):
            self.next_step = "acknowledge"
        return accepted


PARTS = {"delivery": Delivery}
