"""The unit of work logs what is raised inside it, commits what was written so far, and goes on.

It was made for a batch in which one bad row must not undo the others.  Here the caller never hears
that the id was taken, and believes that its job has been created.

Caught by `a_job_is_created_once`.
"""

import logging
from types import TracebackType

from models_under_test.unit_of_work import DjangoUnitOfWork


class UnitOfWork(DjangoUnitOfWork):
    def __exit__(  # type: ignore[override]
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is not None:
            logging.getLogger(__name__).debug("unit of work", exc_info=error)
        self._atomic.__exit__(None, None, None)
        return True


PARTS = {"unit_of_work": UnitOfWork}
