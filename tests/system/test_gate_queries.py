"""The two SQL queries of the gate report's §2.3 run word for word on the tables of the system under test.

The gate is passed by hand with these queries; a verifier whose tables they do not fit would verify
something else.
"""

from __future__ import annotations

import pytest
from django.db import connection

from models_under_test import use_cases
from models_under_test.domain import Lease
from models_under_test.models import Tenant
from models_under_test.repositories import DjangoAIJobRepository
from models_under_test.unit_of_work import DjangoUnitOfWork

JOB = "worker-kill-test-<timestamp>"
THE_JOB = "SELECT job_id, status, updated_at FROM ai_job WHERE job_id = 'worker-kill-test-<timestamp>';"
ITS_RESULTS = (
    "SELECT COUNT(*) FROM ai_result a JOIN ai_job j ON a.job_id = j.id "
    "WHERE j.job_id = 'worker-kill-test-<timestamp>';"
)

pytestmark = pytest.mark.django_db(transaction=True)


class Tray:
    """A publisher that keeps what it is handed, and says whether that was committed by then."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, str, bool]] = []

    def enqueue(self, job_id: str, tenant_id: str) -> None:
        self.jobs.append((job_id, tenant_id, not connection.in_atomic_block))


@pytest.fixture
def uow() -> DjangoUnitOfWork:
    Tenant.objects.create(code="t1")
    return DjangoUnitOfWork(DjangoAIJobRepository())


def answers(job: str) -> tuple[list[tuple[str, str]], int]:
    """(id and status of each row, number of results), by the report's own queries."""
    with connection.cursor() as cursor:
        cursor.execute(THE_JOB.replace(JOB, job))
        rows = [(job_id, status) for job_id, status, _ in cursor.fetchall()]
        cursor.execute(ITS_RESULTS.replace(JOB, job))
        (count,) = cursor.fetchone()
    return rows, count


def prepared(uow: DjangoUnitOfWork, job: str) -> int:
    tray = Tray()
    use_cases.create_ai_job(uow, tray, job, "t1")
    assert tray.jobs == [(job, "t1", True)]
    lease = use_cases.prepare_ai_job(uow, job, "t1", "worker")
    assert isinstance(lease, Lease)
    return lease.attempt


def test_the_queries_follow_a_job_that_completes(uow: DjangoUnitOfWork) -> None:
    assert answers("j1") == ([], 0)
    attempt = prepared(uow, "j1")
    assert answers("j1") == ([("j1", "RUNNING")], 0)
    assert use_cases.complete_ai_job(uow, "j1", "t1", attempt, "result")
    assert answers("j1") == ([("j1", "DONE")], 1)
    # The caller never heard the answer and asks again: still one row, one result.
    assert use_cases.complete_ai_job(uow, "j1", "t1", attempt, "result")
    assert answers("j1") == ([("j1", "DONE")], 1)


def test_the_queries_follow_a_job_that_fails(uow: DjangoUnitOfWork) -> None:
    attempt = prepared(uow, "j2")
    assert use_cases.fail_ai_job(uow, "j2", "t1", attempt, "unreadable video")
    assert answers("j2") == ([("j2", "FAILED")], 0)


def test_the_queries_tell_jobs_apart(uow: DjangoUnitOfWork) -> None:
    # ai_result.job_id is a row number, not the job's own id: the join must not mix them up.
    prepared(uow, "j3")
    attempt = prepared(uow, "j4")
    use_cases.complete_ai_job(uow, "j4", "t1", attempt, "result")
    assert answers("j3") == ([("j3", "RUNNING")], 0)
    assert answers("j4") == ([("j4", "DONE")], 1)
