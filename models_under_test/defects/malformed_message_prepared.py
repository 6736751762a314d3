"""The worker does not look at what it received: the body "is always valid, we send it ourselves".

The first body that cannot be read makes prepare raise, and again whenever the worker tries to go on.

Caught by `operations_answer_by_the_table`.
"""

from models_under_test.delivery import AIJobDelivery


class Delivery(AIJobDelivery):
    def receive(self) -> bool:
        received = super().receive()
        self.next_step = "prepare" if received else None
        return received


PARTS = {"delivery": Delivery}
