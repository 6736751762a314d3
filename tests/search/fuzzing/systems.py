"""Systems that go wrong without an exception, for workers in processes of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from models_under_test.binding import AIJobsBinding
from statemachine.binding import ObservedRow
from statemachine.search.fuzzing.searches import StopFlag


class Dying(AIJobsBinding):
    """Its code ends the process, without a word, when a job is released for the first time."""

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        os._exit(3)


class DyingOnce(AIJobsBinding):
    """As if its process had been killed: it dies at one call, and never again."""

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool:
        died = Path("died")
        if not died.exists():
            died.touch()
            os._exit(9)
        return super().complete(job, tenant, attempt, result)


class Hanging(AIJobsBinding):
    """Its code never returns from a release."""

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        threading.Event().wait()
        return True


class Unreadable(AIJobsBinding):
    """Its binding gives what no binding may give."""

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        raise LookupError("no such view")


def read_for_ever(stop: StopFlag) -> None:
    """Look at the flag as a search does, until it is set."""
    while not stop.value:
        pass


class Importing(AIJobsBinding):
    """It creates jobs, and says that it does not."""

    unreachable = MappingProxyType({"create: new id": "jobs are imported"})
