"""The unit of work catches what COMMIT raises, because a view once answered 500 for it.

A lease is given out that was never stored: its worker infers for an hour without owning the job.

Caught by `operations_answer_by_the_table`.
"""

import logging
from types import TracebackType

from django.db import OperationalError

from models_under_test.unit_of_work import DjangoUnitOfWork


class UnitOfWork(DjangoUnitOfWork):
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        except OperationalError:
            logging.getLogger(__name__).debug("COMMIT went wrong", exc_info=True)


PARTS = {"unit_of_work": UnitOfWork}
