"""Bindings with one mistake each, as newcomers make them: the bundled one, spoiled in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from models_under_test.binding import AIJobsBinding

OURS = AIJobsBinding.lifecycle


class Mistake(NamedTuple):
    """A binding, and words that its one sentence must hold, in this order: subject, value, rule, way out."""

    binding: type[Any]
    words: tuple[str, ...]


def showing(**changed: Any) -> type[Any]:
    """``observe`` shows these fields with another value: a constant, or a function of the row."""

    class Showing(AIJobsBinding):
        def observe(self, jobs: Sequence[str]) -> Any:
            for row in super().observe(jobs):
                made = {name: new(row) if callable(new) else new for name, new in changed.items()}
                yield row._replace(**made)

    return Showing


def observing(answer: Callable[[list[Any]], Any]) -> type[Any]:
    class Observing(AIJobsBinding):
        def observe(self, jobs: Sequence[str]) -> Any:
            return answer(list(super().observe(jobs)))

    return Observing


def doing(**methods: Callable[..., Any]) -> type[Any]:
    """The binding has these methods instead; each takes the real binding first."""
    return type("Doing", (AIJobsBinding,), methods)


def planted(defect: str) -> type[Any]:
    """The bundled system with one of its planted bugs, which a stranger's system may have as well."""

    class Planted(AIJobsBinding):
        def __init__(self) -> None:
            super().__init__()
            self.plant(defect)

    return Planted


class Procedure:
    """A real delivery procedure with these steps instead; each takes the real delivery first."""

    def __init__(self, delivery: Any, changed: dict[str, Callable[..., Any]]) -> None:
        self._delivery, self._changed = delivery, changed

    def __getattr__(self, name: str) -> Any:
        if name in self._changed:
            return lambda *given: self._changed[name](self._delivery, *given)
        return getattr(self._delivery, name)


class Saying(Procedure):
    @property
    def next_step(self) -> Any:
        return self._changed["next_step"](self._delivery)


def delivering(**changed: Callable[..., Any]) -> type[Any]:
    class Delivering(AIJobsBinding):
        def deliver(self, worker: str, queue: Any) -> Any:
            procedure = Saying if "next_step" in changed else Procedure
            return procedure(super().deliver(worker, queue), changed)

    return Delivering


def telling(step: str, instead: Callable[[Any], Any]) -> type[Any]:
    """The step is carried out and returns another answer."""
    return delivering(**{step: lambda delivery, *given: instead(getattr(delivery, step)(*given))})


def create_in_open_transaction(binding: Any, job: str, tenant: str) -> None:
    from models_under_test.models import AIJob

    transaction.atomic().__enter__()
    now = timezone.now()
    AIJob.objects.create(job_id=job, tenant_id=tenant, created_at=now, updated_at=now)


def create_inside_of_a_transaction(binding: Any, job: str, tenant: str) -> None:
    with transaction.atomic():
        AIJobsBinding.create(binding, job, tenant)


def create_without_publisher(binding: Any, job: str, tenant: str) -> None:
    class Nobody:
        def enqueue(self, job: str, tenant: str) -> None: ...

    binding._publisher = Nobody()
    AIJobsBinding.create(binding, job, tenant)


def create_and_send(binding: Any, job: str, tenant: str) -> None:
    create_without_publisher(binding, job, tenant)
    binding._queue.send(job, tenant)


def create_hidden(binding: Any, job: str, tenant: str) -> None:
    AIJobsBinding.create(binding, f"{job}-of-{tenant}", tenant)


def create_or_translate(binding: Any, job: str, tenant: str) -> None:
    if list(AIJobsBinding.observe(binding, [job])):
        raise ValueError(f"{job} exists")
    AIJobsBinding.create(binding, job, tenant)


def create_in_missing_table(binding: Any, job: str, tenant: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_order VALUES (%s)", [job])


def publish_elsewhere(binding: Any, job: str, tenant: str) -> None:
    class Elsewhere:
        def send(self, job_id: str, tenant_id: str) -> None: ...

    queue, binding._queue = binding._queue, Elsewhere()
    AIJobsBinding.publish(binding, job, tenant)
    binding._queue = queue


def publish_under_another_name(binding: Any, job: str, tenant: str) -> None:
    binding._queue.send("1", tenant)


def publish_without_note(binding: Any, job: str, tenant: str) -> None:
    binding._queue.send(job, tenant)


def publish_in_autocommit(binding: Any, job: str, tenant: str) -> None:
    from models_under_test.models import AIJob

    binding._queue.send(job, tenant)
    AIJob.objects.filter(job_id=job).update(published_at=timezone.now())


def reset_jobs_only(binding: Any, jobs: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute(f"DELETE FROM ai_job WHERE job_id IN ({','.join(['%s'] * len(jobs))})", list(jobs))


def reset_everything(binding: Any, jobs: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ai_result")
        cursor.execute("DELETE FROM ai_job")


def acknowledge_nothing(delivery: Any) -> None:
    pass


def receive_nothing(delivery: Any) -> bool:
    return True


def seoul(row: Any) -> datetime | None:
    """What naive local time looks like."""
    at: datetime | None = row.lease_expires_at
    return None if at is None else at + timedelta(hours=9)


def real_time(row: Any) -> datetime | None:
    """What ``NOW()`` of a database writes: it knows nothing of the frozen clock."""
    if row.published_at is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        return datetime.fromisoformat(cursor.fetchone()[0])


def unsent(row: Any) -> Any:
    return row.lease_expires_at or datetime(2030, 10, 27, 0, 30, tzinfo=UTC)


HALF = type("Half", (AIJobsBinding,), {"lifecycle": replace(OURS, lease_seconds=1800)})


def count_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM ai_job")
        return int(cursor.fetchone()[0])
