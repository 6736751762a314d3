"""The gate report's own rule (§2.3): whenever prepare_ai_job gives no lease, only delete the message.

It was meant for jobs that have ended.  Followed for a job that is RUNNING it takes away the one thing
that would bring the job back, so if the holder then dies the job stays RUNNING for ever.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if attempt is None:
            self.next_step = "acknowledge"
        return attempt


PARTS = {"delivery": Delivery}
