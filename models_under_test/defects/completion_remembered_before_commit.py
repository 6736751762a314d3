"""The worker notes that it has completed its job before the commit, so as not to do it twice.

When that commit fails it tries again, finds its note, and goes on to acknowledge a job that is still
RUNNING.

Caught by `operations_write_by_the_table`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Completed, Outcome


class Delivery(AIJobDelivery):
    completed = False

    def finish(self, outcome: Outcome) -> bool:
        if not isinstance(outcome, Completed):
            return super().finish(outcome)
        if self.completed:
            self.next_step = "acknowledge"
            return True
        self.completed = True
        return super().finish(outcome)


PARTS = {"delivery": Delivery}
