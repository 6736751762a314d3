"""The publisher sends and leaves published_at to the worker, "which will show that it arrived".

No worker writes it, so the sweep sends every job once more, and again, as long as it is PENDING.

Caught by `operations_write_by_the_table`.
"""

from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def publish_ai_job(uow: DjangoUnitOfWork, queue: Queue, job_id: str, tenant_id: str) -> None:
    queue.send(job_id, tenant_id)


PARTS = {"publish_ai_job": publish_ai_job}
