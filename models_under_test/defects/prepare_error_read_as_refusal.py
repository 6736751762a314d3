"""prepare_ai_job answers a database error with "someone else has it", so that workers never crash.

The worker believes that it was refused, leaves the message alone, and the outage is seen by nobody:
each try burns a receive until the message lies in the DLQ.

Caught by `operations_answer_by_the_table`.
"""

from django.db import DatabaseError

from models_under_test import use_cases
from models_under_test.domain import Lease, Refusal
from models_under_test.unit_of_work import DjangoUnitOfWork


def prepare_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, worker_id: str) -> Lease | Refusal:
    try:
        return use_cases.prepare_ai_job(uow, job_id, tenant_id, worker_id)
    except DatabaseError:
        return Refusal.LEASE_LIVE


PARTS = {"prepare_ai_job": prepare_ai_job}
