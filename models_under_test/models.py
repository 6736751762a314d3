"""The tables of the three pipelines and of their tenants.

The gate's queries run verbatim on ``tenant``, ``ai_job`` and ``ai_result``; ``video`` and ``notification``
have the same columns of a lease.  The result of a job is one row beside it, one-to-one: the database itself
refuses a second one.
"""

from __future__ import annotations

from django.db import models

from models_under_test.domain import AI_STATUSES, NOTIFICATION_STATUSES, VIDEO_STATUSES, Statuses


def _status(statuses: Statuses) -> models.CharField:
    choices = [(str(status), str(status)) for status in statuses]
    return models.CharField(max_length=16, choices=choices, default=str(statuses.pending))


def _unpublished(table: str) -> tuple[models.Index]:
    """An index for the sweep, which looks for the few unsent jobs among all that there ever were."""
    unsent = models.Q(published_at=None)
    return (models.Index(fields=["created_at"], condition=unsent, name=f"{table}_unpublished"),)


class Tenant(models.Model):
    code = models.CharField(max_length=64, unique=True)

    class Meta:
        db_table = "tenant"

    def __str__(self) -> str:
        return self.code


class User(models.Model):
    """A person of one tenant.  ``user`` is a reserved word of SQL, hence the name of the table."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, to_field="code")
    email = models.EmailField(max_length=128)

    class Meta:
        db_table = "academy_user"
        constraints = (models.UniqueConstraint(fields=["tenant", "email"], name="academy_user_email"),)

    def __str__(self) -> str:
        return self.email


class Lecture(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, to_field="code")
    title = models.CharField(max_length=128)

    class Meta:
        db_table = "lecture"

    def __str__(self) -> str:
        return self.title


class LeasedJob(models.Model):
    """The columns of every pipeline's job, besides its id and its status."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, to_field="code")
    # What inference is asked for, as JSON text; empty for nothing special.
    request = models.TextField(default="")
    # Counts acquisitions; the latest one is the fencing token.
    attempt_count = models.PositiveIntegerField(default=0)
    # The lease: all three are NULL exactly while no attempt holds the job.
    locked_by = models.CharField(max_length=128, null=True)  # noqa: DJ001  NULL: not held
    locked_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    error = models.TextField(default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True


class JobResult(models.Model):
    """The result of a job; the one-to-one link to the job is the subclass's."""

    payload = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class AIJob(LeasedJob):
    job_id = models.CharField(max_length=128, unique=True)
    status = _status(AI_STATUSES)

    class Meta:
        db_table = "ai_job"
        indexes = _unpublished("ai_job")

    def __str__(self) -> str:
        return f"{self.job_id} ({self.status})"


class AIResult(JobResult):
    job = models.OneToOneField(AIJob, on_delete=models.CASCADE)

    class Meta:
        db_table = "ai_result"

    def __str__(self) -> str:
        return f"result of {self.job_id}"


class Video(LeasedJob):
    """An uploaded video, perhaps of a lecture, that is to be made ready for watching."""

    video_id = models.CharField(max_length=128, unique=True)
    lecture = models.ForeignKey(Lecture, on_delete=models.PROTECT, null=True)
    status = _status(VIDEO_STATUSES)

    class Meta:
        db_table = "video"
        indexes = _unpublished("video")

    def __str__(self) -> str:
        return f"{self.video_id} ({self.status})"


class VideoRendition(JobResult):
    """What viewers are shown of a READY video."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE)

    class Meta:
        db_table = "video_rendition"

    def __str__(self) -> str:
        return f"rendition of {self.video_id}"


class Notification(LeasedJob):
    """A message to a person outside, to be handed to a provider once."""

    notification_id = models.CharField(max_length=128, unique=True)
    status = _status(NOTIFICATION_STATUSES)

    class Meta:
        db_table = "notification"
        indexes = _unpublished("notification")

    def __str__(self) -> str:
        return f"{self.notification_id} ({self.status})"


class NotificationLog(JobResult):
    """That a notification was sent, and what the provider answered."""

    notification = models.OneToOneField(Notification, on_delete=models.CASCADE)

    class Meta:
        db_table = "notification_log"

    def __str__(self) -> str:
        return f"log of {self.notification_id}"
