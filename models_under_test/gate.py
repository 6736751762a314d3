"""What the release gate asks of this system besides AI jobs: people, a video, a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.db import connection

from models_under_test.models import Lecture, NotificationLog, Tenant, User, Video
from models_under_test.pipelines import PIPELINES

CODE = "test-tenant"
QUERIES = (
    "SELECT job_id, status, updated_at FROM ai_job WHERE job_id = %s",
    "SELECT COUNT(*) FROM ai_result a JOIN ai_job j ON a.job_id = j.id WHERE j.job_id = %s",
)
"""Word for word as the gate's specification has them (gate report §2.3): a test compares."""


class _Nowhere:
    """A publisher that does nothing: the gate's own rows are sent to no queue."""

    def enqueue(self, job_id: str, tenant_id: str) -> None: ...


def infrastructure() -> Sequence[str]:
    """Make sure that a tenant, a user and a lecture exist.  Return each as the gate prints it."""
    tenant, _ = Tenant.objects.get_or_create(code=CODE)
    user, _ = User.objects.get_or_create(tenant=tenant, email="gate@example.com")
    lecture, _ = Lecture.objects.get_or_create(tenant=tenant, title="gate")
    return [f"Tenant(id={tenant.id}, code={tenant.code})", f"User(id={user.id})", f"Lecture(id={lecture.id})"]


def create_notification_log() -> tuple[int, int]:
    """Send one message.  Return how many logs there were before and after."""
    before = NotificationLog.objects.count()
    system, notification, attempt = _acquired("messaging")
    system.complete(notification, CODE, attempt, "gate")
    return before, NotificationLog.objects.count()


def mark_processing() -> tuple[object, str]:
    """Take a new video by ``mark_processing``.  Return the id and the status that its row shows."""
    _, video, _ = _acquired("video")
    row = Video.objects.get(video_id=video)
    return row.id, row.status


def _acquired(pipeline: str) -> tuple[Any, str, int]:
    """Return the pipeline, the id of a new job under a lease, and its attempt number."""
    Tenant.objects.get_or_create(code=CODE)
    system, job = PIPELINES[pipeline].open(), f"gate10-{pipeline}-{uuid4().hex[:8]}"
    system.create(_Nowhere(), job, CODE)
    lease: Any = system.acquire(job, CODE, "gate")
    return system, job, lease.attempt


def queries(job: str) -> Sequence[tuple[str, Sequence[Any]]]:
    """Return each of the gate's queries with the rows that it gives for ``job``."""
    answers = []
    with connection.cursor() as cursor:
        for sql in QUERIES:
            cursor.execute(sql, [job])
            answers.append((sql.replace("%s", f"'{job}'"), cursor.fetchall()))
    return answers
