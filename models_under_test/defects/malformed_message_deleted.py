"""A message that cannot be read is deleted at once: "retrying will not make it readable".

It may be a job from a newer sender.  In the DLQ an operator could still mend it; now it is gone.

Caught by `messages_outlive_unfinished_jobs`.
"""

from models_under_test.delivery import AIJobDelivery


class Delivery(AIJobDelivery):
    def receive(self) -> bool:
        received = super().receive()
        if self.message and self.message.job_id is None:
            self.acknowledge()
        return received


PARTS = {"delivery": Delivery}
