"""The sweep catches every exception, since an alert at night for "just a retry" annoyed somebody.

A sweep that has failed for a week looks like one that has nothing to do.

Caught by `operations_answer_by_the_table`.
"""

import logging

from models_under_test import use_cases
from models_under_test.domain import Queue
from models_under_test.unit_of_work import DjangoUnitOfWork


def recover_unpublished_ai_jobs(uow: DjangoUnitOfWork, queue: Queue) -> None:
    try:
        use_cases.recover_unpublished_ai_jobs(uow, queue)
    except Exception:
        logging.getLogger(__name__).debug("the sweep went wrong", exc_info=True)


PARTS = {"recover_unpublished_ai_jobs": recover_unpublished_ai_jobs}
