"""A delivery that gets no lease just ends: deleting is left to the worker that finished the job.

If that one died before it did so, the message comes back until it rests in the DLQ, and every redrive
brings it there again.

Caught by `ended_jobs_leave_no_message`.
"""

from models_under_test.delivery import AIJobDelivery


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        attempt = super().prepare()
        if attempt is None:
            self.next_step = None
        return attempt


PARTS = {"delivery": Delivery}
