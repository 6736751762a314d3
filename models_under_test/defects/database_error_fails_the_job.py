"""``except Exception: fail_ai_job(...)`` around the completion takes a database error for a bad job.

The result of an inference that went well is thrown away, and the job is FAILED for good.

Caught by `operations_write_by_the_table`.
"""

from models_under_test import use_cases
from models_under_test.unit_of_work import DjangoUnitOfWork


def complete_ai_job(uow: DjangoUnitOfWork, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
    try:
        return use_cases.complete_ai_job(uow, job_id, tenant_id, attempt, result)
    except Exception as error:
        use_cases.fail_ai_job(uow, job_id, tenant_id, attempt, str(error))
        raise


PARTS = {"complete_ai_job": complete_ai_job}
