"""``DjangoUnitOfWork``: one transaction, and the repositories that take part in it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import transaction

from models_under_test.repositories import LeasedJobRepository


class DjangoUnitOfWork:
    """``with DjangoUnitOfWork(jobs) as uow:`` commits at the end of the block, or rolls all of it back.

    Raises ``RuntimeError`` inside another transaction (``durable``): its end would then be no commit, and
    publishing after the commit and fenced writes would mean nothing.
    """

    def __init__(self, jobs: LeasedJobRepository) -> None:
        self.jobs = jobs

    def __enter__(self) -> Self:
        self._atomic = transaction.atomic(durable=True)
        self._atomic.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._atomic.__exit__(kind, error, traceback)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call ``action`` once the transaction is committed, never if it is rolled back."""
        transaction.on_commit(action)
