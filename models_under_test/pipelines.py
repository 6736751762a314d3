"""The three pipelines as data, and one way to run any of them: for workers, the gate and the bindings.

Django models are imported only when a pipeline's parts are asked for: settings are chosen first.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from models_under_test.domain import (
    AI_STATUSES,
    AI_USE_CASES,
    MESSAGING_USE_CASES,
    NOTIFICATION_STATUSES,
    VIDEO_STATUSES,
    VIDEO_USE_CASES,
    Lease,
    Publisher,
    Queue,
    Refusal,
    Statuses,
    UseCaseNames,
)

if TYPE_CHECKING:
    from models_under_test.delivery import LeasedDelivery
    from models_under_test.unit_of_work import DjangoUnitOfWork

_HERE = __name__.rpartition(".")[0]


class PipelineError(ValueError):
    """A pipeline was to be made with a part that it does not have.  The message names both."""


class LogWords(NamedTuple):
    """What a worker's log calls the steps that write."""

    acquire: str
    complete: str
    fail: str
    release: str


@dataclass(frozen=True)
class Pipeline:
    """One pipeline, by the names of its parts: importing them needs a configured Django."""

    name: str
    queues: tuple[str, ...]
    default_queue: str  # the one of ``queues`` that jobs go to unless another is named
    statuses: Statuses
    use_cases: UseCaseNames
    log_words: LogWords  # ``acquire`` is also the name of the repository's method that takes the lease
    repository: str  # the class in ``repositories``
    delivery: str  # the class in ``delivery``
    use_case_module: str

    @property
    def worker_id(self) -> str:
        """The name under which the whole fleet takes its leases, as in production."""
        return f"{self.name}-worker"

    def parts(self) -> dict[str, Any]:
        """Return ``repository``, ``unit_of_work``, ``delivery`` and every use case, by name."""
        use_cases = import_module(f"{_HERE}.{self.use_case_module}")
        functions = inspect.getmembers(use_cases, inspect.isfunction)
        return {
            "repository": getattr(import_module(f"{_HERE}.repositories"), self.repository),
            "unit_of_work": import_module(f"{_HERE}.unit_of_work").DjangoUnitOfWork,
            "delivery": getattr(import_module(f"{_HERE}.delivery"), self.delivery),
            **{name: function for name, function in functions if function.__module__ == use_cases.__name__},
        }

    def open(self, replaced: Mapping[str, Any] = MappingProxyType({})) -> OpenPipeline:
        """Return the pipeline, ready to run, with some parts replaced.  Django must be configured.

        Raises :class:`PipelineError` when ``replaced`` names what is no part.
        """
        return OpenPipeline(self, with_replaced(self.parts(), replaced))


def with_replaced(parts: Mapping[str, Any], replaced: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``parts`` with some replaced.  Raises :class:`PipelineError` for a name that is no part's."""
    strange = sorted(set(replaced) - set(parts))
    if strange:
        raise PipelineError(f"it replaces {', '.join(strange)}; the parts are {', '.join(parts)}")
    return {**parts, **replaced}


class OpenPipeline:
    """A pipeline made of ``parts``, with the same methods for all three."""

    def __init__(self, pipeline: Pipeline, parts: Mapping[str, Any]) -> None:
        self.pipeline = pipeline
        self.parts = SimpleNamespace(**parts)
        self.uow = self.new_unit_of_work()  # of publisher, sweep and direct calls; a delivery has its own

    def new_unit_of_work(self, lease_seconds: float | None = None) -> DjangoUnitOfWork:
        """Return a unit of work with its own repository, whose leases last ``lease_seconds`` if given."""
        repository = self.parts.repository()
        if lease_seconds is not None:
            repository.lease_seconds = lease_seconds
        unit_of_work: DjangoUnitOfWork = self.parts.unit_of_work(repository)
        return unit_of_work

    def new_delivery(
        self,
        queue: Queue,
        worker_id: str,
        lease_seconds: float | None = None,
        visibility_seconds: int | None = None,
    ) -> LeasedDelivery:
        """Return the procedure for one message.  The durations are the deployed ones unless given.

        Its unit of work is its own, as in a separate process: what one worker remembers, no other knows.
        """
        uow = self.new_unit_of_work(lease_seconds)
        delivery: LeasedDelivery = self.parts.delivery(uow, queue, worker_id, self.parts)
        if visibility_seconds is not None:
            delivery.visibility_seconds = visibility_seconds
        return delivery

    def create(self, publisher: Publisher, job_id: str, tenant_id: str, request: str = "") -> None:
        """Store a job; hand it to ``publisher`` after the commit.  Raises ``IntegrityError`` if it exists."""
        self._use_case(self.pipeline.use_cases.create)(self.uow, publisher, job_id, tenant_id, request)

    def publish(self, queue: Queue, job_id: str, tenant_id: str) -> None:
        """Send the job's message and store that it was sent."""
        self._use_case(self.pipeline.use_cases.publish)(self.uow, queue, job_id, tenant_id)

    def recover(self, queue: Queue) -> None:
        """Send every job whose publisher died before it sent."""
        self._use_case(self.pipeline.use_cases.recover)(self.uow, queue)

    def acquire(self, job_id: str, tenant_id: str, worker_id: str) -> Lease | Refusal:
        """Take the lease by the repository's own method (``mark_running``, say), in a unit of work."""
        with self.uow as uow:
            answer: Lease | Refusal = getattr(uow.jobs, self.pipeline.log_words.acquire)(
                job_id, tenant_id, worker_id
            )
            return answer

    def complete(self, job_id: str, tenant_id: str, attempt: int, result: str) -> bool:
        return self._finish(self.pipeline.use_cases.complete, job_id, tenant_id, attempt, result)

    def fail(self, job_id: str, tenant_id: str, attempt: int, error: str) -> bool:
        return self._finish(self.pipeline.use_cases.fail, job_id, tenant_id, attempt, error)

    def release(self, job_id: str, tenant_id: str, attempt: int, error: str) -> bool:
        return self._finish(self.pipeline.use_cases.release, job_id, tenant_id, attempt, error)

    def request_of(self, job_id: str, tenant_id: str) -> str:
        """Return the request of the job.  Raises ``LookupError`` when the tenant has no such job."""
        with self.uow as uow:
            return uow.jobs.request_of(job_id, tenant_id)

    def _finish(self, name: str, job_id: str, tenant_id: str, attempt: int, payload: str) -> bool:
        accepted: bool = self._use_case(name)(self.uow, job_id, tenant_id, attempt, payload)
        return accepted

    def _use_case(self, name: str) -> Any:
        return getattr(self.parts, name)


PIPELINES: Mapping[str, Pipeline] = {
    pipeline.name: pipeline
    for pipeline in (
        Pipeline(
            name="ai",
            queues=("academy-ai-jobs-lite", "academy-ai-jobs-basic", "academy-ai-jobs-premium"),
            default_queue="academy-ai-jobs-basic",
            statuses=AI_STATUSES,
            use_cases=AI_USE_CASES,
            log_words=LogWords("mark_running", "mark_done", "mark_failed", "mark_retrying"),
            repository="DjangoAIJobRepository",
            delivery="AIJobDelivery",
            use_case_module="use_cases",
        ),
        Pipeline(
            name="video",
            queues=("academy-video-jobs",),
            default_queue="academy-video-jobs",
            statuses=VIDEO_STATUSES,
            use_cases=VIDEO_USE_CASES,
            log_words=LogWords("mark_processing", "mark_ready", "mark_failed", "mark_retrying"),
            repository="DjangoVideoRepository",
            delivery="VideoDelivery",
            use_case_module="video_use_cases",
        ),
        Pipeline(
            name="messaging",
            queues=("academy-messaging-jobs",),
            default_queue="academy-messaging-jobs",
            statuses=NOTIFICATION_STATUSES,
            use_cases=MESSAGING_USE_CASES,
            log_words=LogWords("mark_sending", "create_notification_log", "mark_failed", "mark_retrying"),
            repository="DjangoNotificationRepository",
            delivery="NotificationDelivery",
            use_case_module="messaging_use_cases",
        ),
    )
}
"""By the name that ``worker --queue NAME`` takes."""


def dlq_of(queue: str) -> str:
    """Return the name of the DLQ of ``queue``."""
    return f"{queue}-dlq"
