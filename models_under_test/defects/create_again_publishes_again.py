"""create_ai_job treats a taken id as "it was created, but maybe not published", and publishes it.

A caller that tries again hears nothing of its mistake, and a job that ended long ago is sent once more.

Caught by `a_job_is_created_once`.
"""

from django.db import IntegrityError

from models_under_test import use_cases
from models_under_test.domain import Publisher
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_ai_job(
    uow: DjangoUnitOfWork, publisher: Publisher, job_id: str, tenant_id: str, request: str = ""
) -> None:
    try:
        use_cases.create_ai_job(uow, publisher, job_id, tenant_id, request)
    except IntegrityError:
        publisher.enqueue(job_id, tenant_id)


PARTS = {"create_ai_job": create_ai_job}
