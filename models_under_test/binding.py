"""Binds the three pipelines to the verifier, each with a planted defect if one is asked for.

Django models are imported in ``open`` and later: the verifier chooses the settings module first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any

from models_under_test import domain
from models_under_test.pipelines import PIPELINES, OpenPipeline, Pipeline, PipelineError, with_replaced
from statemachine.binding import BindingError, Message, ObservedRow, PublisherPort, QueuePort
from statemachine.lifecycle import Lifecycle, Operation

if TYPE_CHECKING:
    from models_under_test.delivery import LeasedDelivery
    from models_under_test.fleets import PipelineFleet
    from models_under_test.repositories import LeasedJobRepository
    from models_under_test.unit_of_work import DjangoUnitOfWork
    from statemachine.binding.fleet import Stage

OUTCOMES: Mapping[Operation, Callable[[str], Any]] = {
    Operation.COMPLETE: domain.Completed,
    Operation.FAIL: domain.Failed,
    Operation.RELEASE: domain.TransientError,
}


def lifecycle_of(pipeline: Pipeline) -> Lifecycle:
    """Return the lifecycle of ``pipeline``: durations are the same for all three, statuses its own."""
    return Lifecycle(
        lease_seconds=domain.LEASE_SECONDS,
        visibility_seconds=domain.VISIBILITY_SECONDS,
        max_receives=domain.MAX_RECEIVES,
        inference_cap_seconds=domain.INFERENCE_CAP_SECONDS,
        recover_after_seconds=domain.RECOVER_AFTER_SECONDS,
        offers=frozenset({Operation.EXTEND, Operation.RELEASE, Operation.RECOVER}),
        **pipeline.statuses._asdict(),
    )


class PipelineBinding:
    """Binds one pipeline, made of parts that a defect or a variant can replace."""

    pipeline: Pipeline
    lifecycle: Lifecycle
    catalogue: str
    """The dotted name of the package of its planted defects."""
    settings_module = "models_under_test.settings"
    tenants = ("t1", "t2")
    waived: Mapping[str, str] = {}
    outcomes = OUTCOMES

    def __init__(self) -> None:
        self._defect: str | None = None

    @property
    def defects(self) -> Mapping[str, str]:
        """Each planted bug by name, with what is wrong."""
        stories: Mapping[str, str] = import_module(self.catalogue).STORIES
        return stories

    @property
    def minimal(self) -> Mapping[str, Sequence[tuple[str, dict[str, Any]]]]:
        """The shortest history that shows each planted bug, by its name."""
        histories: Mapping[str, Sequence[tuple[str, dict[str, Any]]]]
        histories = import_module(f"{self.catalogue}.minimal").MINIMAL
        return histories

    def plant(self, defect: str) -> None:
        self._defect = defect

    def parts(self) -> dict[str, Any]:
        """Return what the system is made of: repository, unit of work, delivery and use cases, by name."""
        return self.pipeline.parts()

    def open(self, queue: QueuePort, publisher: PublisherPort) -> None:
        from django.db import connection

        from models_under_test import repositories
        from models_under_test.models import Tenant

        self._system = OpenPipeline(self.pipeline, self.planted_parts())
        self._queue, self._publisher = BoundQueue(queue), publisher
        self._connection = connection
        # Rows are read as the correct repository names them, whatever is planted.
        self._statements = Statements(getattr(repositories, self.pipeline.repository))
        Tenant.objects.bulk_create([Tenant(code=code) for code in self.tenants], ignore_conflicts=True)
        if connection.vendor == "postgresql":
            for statement in self._planted_schema():
                with connection.cursor() as cursor:
                    cursor.execute(statement)

    def planted_parts(self) -> dict[str, Any]:
        """Return the parts, with those of the planted defect in their place.

        Raises ``BindingError`` when the defect replaces a part that this pipeline does not have.
        """
        replaced = self._of_the_defect("PARTS", {})
        try:
            return with_replaced(self.parts(), replaced)
        except PipelineError as error:
            raise BindingError(f"--defect {self._defect}: {error}") from None

    def _planted_schema(self) -> Sequence[str]:
        """Return the SQL of the planted defect's migration.  The database is made anew for each run."""
        statements: Sequence[str] = self._of_the_defect("SCHEMA", ())
        return statements

    def _of_the_defect(self, name: str, otherwise: Any) -> Any:
        if not self._defect:
            return otherwise
        return getattr(import_module(f"{self.catalogue}.{self._defect}"), name, otherwise)

    @property
    def _uow(self) -> DjangoUnitOfWork:
        return self._system.uow

    def create(self, job: str, tenant: str) -> None:
        self._system.create(self._publisher, job, tenant)

    def publish(self, job: str, tenant: str) -> None:
        self._system.publish(self._queue, job, tenant)

    def recover(self) -> None:
        self._system.recover(self._queue)

    def deliver(self, worker: str, queue: QueuePort) -> BoundDelivery:
        procedure = self._system.new_delivery(BoundQueue(queue), self.worker_id(worker))
        return BoundDelivery(procedure, self.outcomes)

    def worker_id(self, worker: str) -> str:
        """Return the name under which ``worker`` takes leases: the whole fleet's, as in production."""
        return self.pipeline.worker_id

    def mark_running(self, job: str, tenant: str) -> int | None:
        answer = self._system.acquire(job, tenant, self.pipeline.worker_id)
        return answer.attempt if isinstance(answer, domain.Lease) else None

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool:
        return self._system.complete(job, tenant, attempt, result)

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        return self._system.fail(job, tenant, attempt, error)

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        return self._system.release(job, tenant, attempt, error)

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        with self._connection.cursor() as cursor:
            cursor.execute(self._statements.observe.format(_marks(jobs)), jobs)
            return [ObservedRow(*row) for row in cursor.fetchall()]

    def others(self, jobs: Sequence[str]) -> object:
        with self._connection.cursor() as cursor:
            cursor.execute(self._statements.others.format(_marks(["", *jobs])), ["", *jobs])
            return cursor.fetchone()

    # boto3 is needed only where real workers run, so what imports it is imported late.

    def environment(self, stage: Stage) -> Mapping[str, str]:
        from models_under_test import fleets

        return fleets.environment(stage)

    def fleets(self, stage: Stage) -> list[PipelineFleet]:
        from models_under_test import fleets

        return [fleets.PipelineFleet(self, stage)]

    def reset(self, jobs: Sequence[str]) -> None:
        with self._connection.cursor() as cursor:
            for statement in self._statements.reset:
                cursor.execute(statement.format(_marks(jobs)), jobs)


class AIJobsBinding(PipelineBinding):
    """AI jobs.  Its fleets include those of the other pipelines; it has all pieces of the gate."""

    pipeline = PIPELINES["ai"]
    lifecycle = lifecycle_of(pipeline)
    catalogue = "models_under_test.defects"

    def fleets(self, stage: Stage) -> list[PipelineFleet]:
        correct = replace(stage, defect=None)
        others = [binding().fleets(correct) for binding in (VideoBinding, MessagingBinding)]
        return [*super().fleets(stage), *chain.from_iterable(others)]

    def infrastructure(self) -> Sequence[str]:
        from models_under_test import gate

        return gate.infrastructure()

    def create_notification_log(self) -> tuple[int, int]:
        from models_under_test import gate

        return gate.create_notification_log()

    def mark_processing(self) -> tuple[object, str]:
        from models_under_test import gate

        return gate.mark_processing()

    def gate_queries(self, job: str) -> Sequence[tuple[str, Sequence[Any]]]:
        from models_under_test import gate

        return gate.queries(job)


class VideoBinding(PipelineBinding):
    pipeline = PIPELINES["video"]
    lifecycle = lifecycle_of(pipeline)
    catalogue = "models_under_test.defects.video"


class MessagingBinding(PipelineBinding):
    pipeline = PIPELINES["messaging"]
    lifecycle = lifecycle_of(pipeline)
    catalogue = "models_under_test.defects.messaging"


def _marks(values: Sequence[str]) -> str:
    return ",".join(["%s"] * len(values))


class Statements:
    """The SQL of a binding for the tables of one repository.  ``{}`` takes the placeholders of the ids."""

    def __init__(self, repository: type[LeasedJobRepository]) -> None:
        jobs, key = repository.model._meta.db_table, repository.key
        results = repository.result_model._meta.db_table
        owner = repository.result_model._meta.get_field(repository.result_of).column
        joined = f"FROM {jobs} j LEFT JOIN {results} r ON r.{owner} = j.id"
        self.observe = (
            f"SELECT j.{key}, j.tenant_id, j.status, j.attempt_count, j.locked_by, j.lease_expires_at, "
            f"j.published_at, COUNT(r.id), MIN(r.payload) {joined} WHERE j.{key} IN ({{}}) GROUP BY j.id "
            "ORDER BY j.id"
        )
        self.others = (
            "SELECT COUNT(*), SUM(attempt_count), SUM(LENGTH(status)), COUNT(locked_by), "
            "COUNT(lease_expires_at), COUNT(published_at), MAX(j.updated_at), COUNT(r.id) "
            f"{joined} WHERE j.{key} NOT IN ({{}})"
        )
        self.reset = (
            f"DELETE FROM {results} WHERE {owner} IN (SELECT id FROM {jobs} WHERE {key} IN ({{}}))",
            f"DELETE FROM {jobs} WHERE {key} IN ({{}})",
        )


class BoundQueue:
    """The verifier's queue as this system's ``Queue``."""

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
    """This system's delivery procedure as the verifier's ``Delivery``, which decides how inference ends."""

    def __init__(self, procedure: LeasedDelivery, outcomes: Mapping[Operation, Callable[[str], Any]]) -> None:
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
