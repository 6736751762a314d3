"""The worker hides its message for one more minute at a time, "so that it returns soon if I die".

Asked for early, that brings the message back before its time: it is refused, and burns its receives.

Caught by `messages_are_not_hurried`.
"""

from models_under_test.delivery import AIJobDelivery


class Delivery(AIJobDelivery):
    visibility_seconds = 60


PARTS = {"delivery": Delivery}
