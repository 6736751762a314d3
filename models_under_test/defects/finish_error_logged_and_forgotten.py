"""mark_done's caller logs every exception and goes on, since "inference is paid for, do not lose it".

A completion that was rolled back is reported as done, and what acts on that answer acts on nothing.

Caught by `operations_answer_by_the_table`.
"""

import logging

from models_under_test import use_cases
from models_under_test.unit_of_work import DjangoUnitOfWork


def complete_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
    try:
        return use_cases.complete_ai_job(uow, job_id, tenant_id, attempt, result)
    except Exception:
        logging.getLogger(__name__).debug("completing %s went wrong", job_id, exc_info=True)
        return True


PARTS = {"complete_ai_job": complete_ai_job}
