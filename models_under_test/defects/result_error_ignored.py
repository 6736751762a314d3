"""A result that cannot be stored is left out, inside the transaction: "the job itself is done, after all".

The database has given up the whole transaction by then; the worker is answered DONE, and the row is RUNNING.

Caught by `operations_answer_by_the_table`.
"""

from datetime import datetime

from django.db import DatabaseError

from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def mark_done(
        self, job_id: str, tenant_id: str, attempt: int, result: str, now: datetime | None = None
    ) -> bool:
        try:
            return super().mark_done(job_id, tenant_id, attempt, result, now)
        except DatabaseError:
            return True


PARTS = {"repository": Repository}
