"""After a transient error the worker replaces its message by a new one, to start a fresh receive count.

Between the deletion and the sending it can die, and takes the job's only message with it.  If it does
not, the receive limit never stops a job that fails for ever.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Outcome, TransientError


class Delivery(AIJobDelivery):
    def finish(self, outcome: Outcome) -> bool:
        accepted = super().finish(outcome)
        if accepted and isinstance(outcome, TransientError):
            self.acknowledge()
            self.queue.send(*self._job())
        return accepted


PARTS = {"delivery": Delivery}
