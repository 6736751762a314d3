"""The gate report's own rule (§2.3): a job that is already RUNNING or DONE has its message deleted.

Right for a job that has ended.  For one that is RUNNING it takes away the one thing that would bring
the job back: if the holder then dies, the job stays RUNNING for ever.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery
from models_under_test.domain import Refusal


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if self.answer is Refusal.LEASE_LIVE:
            self.next_step = "acknowledge"
        return attempt


PARTS = {"delivery": Delivery}
