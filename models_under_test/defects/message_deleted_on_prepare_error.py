"""The worker takes a message on which prepare breaks for a poison message, and deletes it.

A second without a database is enough: the job stays PENDING, and nothing is left to bring it back.

Caught by `messages_outlive_unfinished_jobs`.
"""

from django.db import DatabaseError

from models_under_test.delivery import AIJobDelivery


class Delivery(AIJobDelivery):
    def prepare(self) -> int | None:
        try:
            return super().prepare()
        except DatabaseError:
            self.acknowledge()
            return None


PARTS = {"delivery": Delivery}
