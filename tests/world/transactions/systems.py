"""Small systems of AI jobs whose code does to its transactions what code in the wild does.

Each differs from the bundled one in a part or two.  They hold no state of their own but where it says so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from models_under_test.binding import AIJobsBinding


def path_of(system: type[Any]) -> str:
    """As ``--binding`` takes it."""
    return f"{system.__module__}:{system.__qualname__}"


class Rough(AIJobsBinding):
    """``acquire`` wraps how the repository takes a lease: it gets the call that does it properly."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        return properly()

    def parts(self) -> dict[str, Any]:
        from models_under_test.repositories import DjangoAIJobRepository

        binding = self

        class Repository(DjangoAIJobRepository):
            def mark_running(self, job_id: str, tenant_id: str, worker_id: str, now: Any = None) -> Any:
                properly = partial(super().mark_running, job_id, tenant_id, worker_id, now)
                # Not for the rows of others, which the lane itself makes.
                ours = not job_id.startswith("bystander")
                return binding.acquire(properly, job_id, tenant_id) if ours else properly()

        return {**super().parts(), "repository": Repository}


class Nested(Rough):
    """A savepoint around the lease, one inside of it, and one that is rolled back."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        from django.db import transaction

        from models_under_test.models import AIJob

        with transaction.atomic():
            answer = properly()
            try:
                with transaction.atomic():
                    AIJob.objects.filter(job_id=job).update(error="never to be seen")
                    raise LookupError
            except LookupError:
                pass
            with transaction.atomic():
                AIJob.objects.filter(job_id=job).exists()
        return answer


class LocksTenant(Rough):
    """Takes the tenant's row after the job's; :class:`Deadlocks` has others take them the other way round."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        answer = properly()
        _lock_tenant(tenant)
        return answer


def _lock_tenant(tenant: str) -> None:
    from models_under_test.models import Tenant

    list(Tenant.objects.select_for_update().filter(code=tenant))


class Deadlocks(LocksTenant):
    """A finish takes the tenant's row first, and then the job's."""

    def parts(self) -> dict[str, Any]:
        parts = super().parts()

        class Repository(parts["repository"]):  # type: ignore[misc]
            def _lock_for(self, job_id: str, tenant_id: str, attempt: int) -> Any:
                _lock_tenant(tenant_id)
                return super()._lock_for(job_id, tenant_id, attempt)

        return {**parts, "repository": Repository}


class SwallowsDeadlocks(Deadlocks):
    """Takes an error of the database for a success."""

    def parts(self) -> dict[str, Any]:
        from django.db import OperationalError

        parts = super().parts()
        properly = parts["complete_ai_job"]

        def complete(*arguments: Any) -> bool:
            try:
                return bool(properly(*arguments))
            except OperationalError:
                return True

        return {**parts, "complete_ai_job": complete}


class Autocommits(AIJobsBinding):
    """No transaction at all around a lease: one UPDATE, which is committed at once."""

    def parts(self) -> dict[str, Any]:
        from datetime import timedelta

        from django.db.models import F, Q
        from django.utils import timezone

        from models_under_test.domain import LEASE_SECONDS, Lease, Refusal
        from models_under_test.models import AIJob

        def prepare(uow: Any, job_id: str, tenant_id: str, worker_id: str) -> Any:
            now = timezone.now()
            expires = now + timedelta(seconds=LEASE_SECONDS)
            free = Q(status__in=("PENDING", "RETRYING")) | Q(status="RUNNING", lease_expires_at__lte=now)
            taken = AIJob.objects.filter(free, job_id=job_id, tenant_id=tenant_id).update(
                status="RUNNING",
                attempt_count=F("attempt_count") + 1,
                locked_by=worker_id,
                locked_at=now,
                lease_expires_at=expires,
                updated_at=now,
            )
            job = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id).first()
            if taken:
                return Lease(job.attempt_count, expires)
            if job is None:
                return Refusal.NO_SUCH_JOB
            ended = job.status in ("DONE", "FAILED")
            return Refusal.ALREADY_ENDED if ended else Refusal.LEASE_LIVE

        return {**super().parts(), "prepare_ai_job": prepare}


class WithoutAutocommit(Rough):
    """Switches autocommit off and commits by hand, as code from before ``atomic`` does."""

    def parts(self) -> dict[str, Any]:
        from django.db import transaction

        from models_under_test.repositories import DjangoAIJobRepository

        def prepare(uow: Any, job_id: str, tenant_id: str, worker_id: str) -> Any:
            transaction.set_autocommit(False)
            try:
                answer = DjangoAIJobRepository().mark_running(job_id, tenant_id, worker_id)
                transaction.commit()
                return answer
            except BaseException:
                transaction.rollback()
                raise
            finally:
                transaction.set_autocommit(True)

        return {**super().parts(), "prepare_ai_job": prepare}


class ClosesFirst(Rough):
    """Begins by closing its connection, and ends by closing what is old, as a long-lived worker does."""

    def parts(self) -> dict[str, Any]:
        from django.db import close_old_connections, connection

        parts = super().parts()
        properly = parts["prepare_ai_job"]

        def prepare(*arguments: Any) -> Any:
            connection.close()
            try:
                return properly(*arguments)
            finally:
                close_old_connections()
                connection.close()

        return {**parts, "prepare_ai_job": prepare}


class ClosesInside(Rough):
    """Closes its connection in the middle of its transaction."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        from django.db import connection

        answer = properly()
        connection.close()
        return answer


def _write(job: str, text: str) -> None:
    from models_under_test.models import AIJob

    AIJob.objects.filter(job_id=job).update(error=text)


LIVES = "a table that somebody has touched"


def _say_that_it_lives() -> None:
    """A statement that is none on data, and is committed at once."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON TABLE ai_job IS '{LIVES}'")


class WritesWhateverHappens(Rough):
    """``except BaseException: write()``, ``finally: write()``, inside of its transaction and outside."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        try:
            return properly()
        except BaseException:
            _write(job, "except, inside")
            raise
        finally:
            _write(job, "")

    def parts(self) -> dict[str, Any]:
        parts = super().parts()
        properly = parts["prepare_ai_job"]

        def prepare(uow: Any, job_id: str, *arguments: Any) -> Any:
            answer = None
            try:
                answer = properly(uow, job_id, *arguments)
            except BaseException:  # noqa: BLE001  this is what it is about
                _write(job_id, "except, outside")
            finally:
                if answer is None:
                    _say_that_it_lives()
                _write(job_id, "" if answer is not None else "finally, outside")
            return answer

        return {**parts, "prepare_ai_job": prepare}


class NeverGivesUp(Rough):
    """Tries again, for ever, whatever it is that went wrong."""

    tries = 0

    def parts(self) -> dict[str, Any]:
        parts = super().parts()
        properly, binding = parts["prepare_ai_job"], self

        def prepare(*arguments: Any) -> Any:
            while True:
                binding.tries += 1
                try:
                    return properly(*arguments)
                except BaseException:  # noqa: BLE001  this is what it is about
                    continue

        return {**parts, "prepare_ai_job": prepare}


class RetriesErrors(Rough):
    """Tries again, for ever, whatever error its database reports: this one lets a kill through."""

    def parts(self) -> dict[str, Any]:
        from django.db import DatabaseError

        parts = super().parts()
        properly = parts["complete_ai_job"]

        def complete(*arguments: Any) -> Any:
            while True:
                try:
                    return properly(*arguments)
                except DatabaseError:
                    continue

        return {**parts, "complete_ai_job": complete}


class Exits(Rough):
    """Raises ``raises`` in the middle of its transaction."""

    raises: type[BaseException] = SystemExit

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        properly()
        raise self.raises("in the middle")


class Interrupts(Exits):
    raises = KeyboardInterrupt


class Hooked(Rough):
    """Writes after its commit, in a hook, which is a statement of its own."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        from django.db import transaction

        transaction.on_commit(lambda: _write(job, "seen by the hook"))
        transaction.on_commit(lambda: _write(job, "seen by the second"))
        return properly()


class Reads(Rough):
    """Reads by server-side cursors, writes many rows at once and one statement many times."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        from django.db import connection

        from models_under_test.models import AIJob, Tenant

        answer = properly()
        for _ in AIJob.objects.filter(job_id=job).iterator(chunk_size=1):
            Tenant.objects.bulk_create(
                [Tenant(code=code) for code in ("t1", "t2", "t3")], ignore_conflicts=True
            )
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE ai_job SET error = %s WHERE job_id = %s", [["a", job], ["", job]])
        return answer


class ReadsOutside(Rough):
    """A server-side cursor outside of any transaction, left in the middle."""

    def parts(self) -> dict[str, Any]:
        from models_under_test.models import Tenant

        parts = super().parts()
        properly = parts["prepare_ai_job"]

        def prepare(*arguments: Any) -> Any:
            for _ in Tenant.objects.order_by("code").iterator(chunk_size=1):
                return properly(*arguments)
            return None

        return {**parts, "prepare_ai_job": prepare}


class Wrong(AIJobsBinding):
    """Its binding gives, once asked for a lease, what no binding may give."""

    def deliver(self, worker: str, queue: Any) -> Any:
        delivery = super().deliver(worker, queue)
        properly = delivery.prepare

        def prepare() -> Any:
            answer = properly()
            type(delivery).next_step = property(lambda self: "nowhere")
            return answer

        kind = type(delivery)
        delivery.__class__ = type("Wrong", (kind,), {"next_step": kind.next_step})
        delivery.prepare = prepare
        return delivery


class Elsewhere(Rough):
    """Waits on the lease for a lock that it holds itself, on a connection of its own."""

    def acquire(self, properly: Callable[[], Any], job: str, tenant: str) -> Any:
        from django.db import connection

        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT 1 FROM ai_job WHERE job_id = %s FOR UPDATE", [job])
            return properly()
        finally:
            other.close()


class Deferred(Rough):
    """A statement in autocommit that fails only when it is committed; the error of Django is expected."""

    def parts(self) -> dict[str, Any]:
        from django.db import IntegrityError, connection

        parts = super().parts()
        properly = parts["prepare_ai_job"]

        def prepare(*arguments: Any) -> Any:
            try:
                with connection.cursor() as cursor:
                    # Its tenant is a foreign key, and Django's are checked at the COMMIT.
                    cursor.execute("INSERT INTO lecture (tenant_id, title) VALUES (0, 'of nobody')")
            except IntegrityError:
                return properly(*arguments)
            raise AssertionError("it was committed")

        return {**parts, "prepare_ai_job": prepare}


class ClaimsByFunction(AIJobsBinding):
    """Takes a lease by a function of the database, called in autocommit: its text is that of a SELECT."""

    def parts(self) -> dict[str, Any]:
        from datetime import timedelta

        from django.db import connection
        from django.utils import timezone

        from models_under_test.domain import LEASE_SECONDS, Lease, Refusal
        from models_under_test.models import AIJob

        made = (
            "CREATE OR REPLACE FUNCTION claim(job text, worker text, at timestamptz, expires timestamptz) "
            "RETURNS int LANGUAGE sql AS $$ "
            f"UPDATE {AIJob._meta.db_table} SET status = 'RUNNING', attempt_count = attempt_count + 1, "
            "locked_by = worker, locked_at = at, lease_expires_at = expires, updated_at = at "
            "WHERE job_id = job AND (status IN ('PENDING', 'RETRYING') "
            "OR (status = 'RUNNING' AND lease_expires_at <= at)) RETURNING attempt_count $$"
        )

        def prepare(uow: Any, job_id: str, tenant_id: str, worker_id: str) -> Any:
            now = timezone.now()
            expires = now + timedelta(seconds=LEASE_SECONDS)
            job = AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id).first()
            if job is None:
                return Refusal.NO_SUCH_JOB
            with connection.cursor() as cursor:
                cursor.execute(made)
                cursor.execute("SELECT claim(%s, %s, %s, %s)", [job_id, worker_id, now, expires])
                (attempt,) = cursor.fetchone()
            if attempt is not None:
                return Lease(attempt, expires)
            return Refusal.ALREADY_ENDED if job.status in ("DONE", "FAILED") else Refusal.LEASE_LIVE

        return {**super().parts(), "prepare_ai_job": prepare}
