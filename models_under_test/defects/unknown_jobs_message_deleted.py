"""A message whose job is not found is deleted: "the job must have been removed".

It may belong to a job that another database knows; the operator who would see that finds an empty DLQ.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Refusal


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if self.answer is Refusal.NO_SUCH_JOB:
            self.next_step = "acknowledge"
        return attempt


PARTS = {"delivery": Delivery}
