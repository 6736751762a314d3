"""Binds the AI job pipeline to the verifier, and plants a defect in it when one is asked for.

Django models are imported in ``open`` only: the verifier chooses the settings module first.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from models_under_test import domain
from statemachine.binding import BindingError, Message, ObservedRow, PublisherPort, QueuePort
from statemachine.lifecycle import Lifecycle, Operation

if TYPE_CHECKING:
    from models_under_test.delivery import AIJobDelivery
    from models_under_test.unit_of_work import DjangoUnitOfWork

WORKER_ID = "ai-worker"
"""The whole fleet goes by one name, as it does in production."""

OBSERVE = """
    SELECT j.job_id, j.tenant_id, j.status, j.attempt_count, j.locked_by, j.lease_expires_at, j.published_at,
           COUNT(r.id), MIN(r.payload)
    FROM ai_job j LEFT JOIN ai_result r ON r.job_id = j.id
    WHERE j.job_id IN ({}) GROUP BY j.id
"""

OTHERS = """
    SELECT COUNT(*), SUM(attempt_count), SUM(LENGTH(status)), COUNT(locked_by), COUNT(lease_expires_at),
           COUNT(published_at), MAX(j.updated_at), COUNT(r.id)
    FROM ai_job j LEFT JOIN ai_result r ON r.job_id = j.id WHERE j.job_id NOT IN ({})
"""

RESET = (
    "DELETE FROM ai_result WHERE job_id IN (SELECT id FROM ai_job WHERE job_id IN ({}))",
    "DELETE FROM ai_job WHERE job_id IN ({})",
)

OUTCOMES: Mapping[Operation, Callable[[str], Any]] = {
    Operation.COMPLETE: domain.Completed,
    Operation.FAIL: domain.Failed,
    Operation.RELEASE: domain.TransientError,
}


class AIJobsBinding:
    """Made of parts, classes and use cases by name, each of which a defect or a variant can replace."""

    settings_module = "models_under_test.settings"
    tenants = ("t1", "t2")
    waived: Mapping[str, str] = {}
    outcomes = OUTCOMES
    lifecycle = Lifecycle(
        lease_seconds=domain.LEASE_SECONDS,
        visibility_seconds=domain.VISIBILITY_SECONDS,
        max_receives=domain.MAX_RECEIVES,
        inference_cap_seconds=domain.INFERENCE_CAP_SECONDS,
        recover_after_seconds=domain.RECOVER_AFTER_SECONDS,
        offers=frozenset({Operation.EXTEND, Operation.RELEASE, Operation.RECOVER}),
    )

    def __init__(self) -> None:
        self._defect: str | None = None

    @property
    def defects(self) -> Mapping[str, str]:
        from models_under_test.defects import STORIES

        return STORIES

    @property
    def minimal(self) -> Mapping[str, Sequence[tuple[str, dict[str, Any]]]]:
        from models_under_test.defects.minimal import MINIMAL

        return MINIMAL

    def plant(self, defect: str) -> None:
        self._defect = defect

    def open(self, queue: QueuePort, publisher: PublisherPort) -> None:
        from django.db import connection

        from models_under_test.models import Tenant

        parts = self.parts()
        replaced = import_module(f"models_under_test.defects.{self._defect}").PARTS if self._defect else {}
        strange = sorted(set(replaced) - set(parts))
        if strange:
            raise BindingError(
                f"--defect {self._defect}: it replaces {', '.join(strange)}; the parts are {', '.join(parts)}"
            )
        self._use_cases = SimpleNamespace(**parts | replaced)
        self._uow = self._new_unit_of_work()
        self._queue, self._publisher = BoundQueue(queue), publisher
        self._connection = connection
        Tenant.objects.bulk_create([Tenant(code=code) for code in self.tenants], ignore_conflicts=True)

    def parts(self) -> dict[str, Any]:
        """What the system is made of: ``repository``, ``unit_of_work``, ``delivery`` and every use case."""
        from models_under_test import use_cases
        from models_under_test.delivery import AIJobDelivery
        from models_under_test.repositories import DjangoAIJobRepository
        from models_under_test.unit_of_work import DjangoUnitOfWork

        functions = inspect.getmembers(use_cases, inspect.isfunction)
        return {
            "repository": DjangoAIJobRepository,
            "unit_of_work": DjangoUnitOfWork,
            "delivery": AIJobDelivery,
            **{name: function for name, function in functions if function.__module__ == use_cases.__name__},
        }

    def create(self, job: str, tenant: str) -> None:
        self._use_cases.create_ai_job(self._uow, self._publisher, job, tenant)

    def publish(self, job: str, tenant: str) -> None:
        self._use_cases.publish_ai_job(self._uow, self._queue, job, tenant)

    def recover(self) -> None:
        self._use_cases.recover_unpublished_ai_jobs(self._uow, self._queue)

    def deliver(self, worker: str, queue: QueuePort) -> BoundDelivery:
        # A unit of work of its own, as in a process of its own: what one worker remembers no other knows.
        procedure = self._use_cases.delivery(
            self._new_unit_of_work(), BoundQueue(queue), self.worker_id(worker), self._use_cases
        )
        return BoundDelivery(procedure, self.outcomes)

    def worker_id(self, worker: str) -> str:
        """The name under which a worker takes leases."""
        return WORKER_ID

    def _new_unit_of_work(self) -> DjangoUnitOfWork:
        unit_of_work: DjangoUnitOfWork = self._use_cases.unit_of_work(self._use_cases.repository())
        return unit_of_work

    def mark_running(self, job: str, tenant: str) -> int | None:
        with self._uow as uow:
            answer = uow.jobs.mark_running(job, tenant, WORKER_ID)
        return answer.attempt if isinstance(answer, domain.Lease) else None

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool:
        return self._use_cases.complete_ai_job(self._uow, job, tenant, attempt, result)

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        return self._use_cases.fail_ai_job(self._uow, job, tenant, attempt, error)

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        return self._use_cases.release_ai_job(self._uow, job, tenant, attempt, error)

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        with self._connection.cursor() as cursor:
            cursor.execute(OBSERVE.format(",".join(["%s"] * len(jobs))), jobs)
            return [ObservedRow(*row) for row in cursor.fetchall()]

    def others(self, jobs: Sequence[str]) -> object:
        with self._connection.cursor() as cursor:
            cursor.execute(OTHERS.format(",".join(["%s"] * (len(jobs) + 1))), ["", *jobs])
            return cursor.fetchone()

    def reset(self, jobs: Sequence[str]) -> None:
        marks = ",".join(["%s"] * len(jobs))
        with self._connection.cursor() as cursor:
            for statement in RESET:
                cursor.execute(statement.format(marks), jobs)


class BoundQueue:
    """The verifier's queue, in this system's words."""

    def __init__(self, port: QueuePort) -> None:
        self._port = port

    def send(self, job_id: str, tenant_id: str) -> None:
        self._port.send(job_id, tenant_id)

    def receive(self) -> domain.ReceivedMessage | None:
        message: Message | None = self._port.receive()
        return domain.ReceivedMessage(*message) if message is not None else None

    def delete(self, receipt_handle: str) -> None:
        self._port.delete(receipt_handle)

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        self._port.change_visibility(receipt_handle, seconds)


class BoundDelivery:
    """This system's delivery procedure, in the verifier's words: the machine decides how inference ends."""

    def __init__(self, procedure: AIJobDelivery, outcomes: Mapping[Operation, Callable[[str], Any]]) -> None:
        self._procedure = procedure
        self._outcomes = outcomes

    @property
    def next_step(self) -> str | None:
        return self._procedure.next_step

    def receive(self) -> bool:
        return self._procedure.receive()

    def prepare(self) -> int | None:
        return self._procedure.prepare()

    def extend(self) -> None:
        self._procedure.extend()

    def renew(self) -> bool:
        return self._procedure.renew()

    def finish(self, operation: Operation, payload: str) -> bool:
        return self._procedure.finish(self._outcomes[operation](payload))

    def acknowledge(self) -> None:
        self._procedure.acknowledge()
