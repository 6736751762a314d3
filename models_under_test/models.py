"""Tables ``tenant``, ``ai_job`` and ``ai_result``, on which the queries of gate report §2.3 run verbatim."""

from __future__ import annotations

from django.db import models

from models_under_test.domain import JobStatus


class Tenant(models.Model):
    code = models.CharField(max_length=64, unique=True)

    class Meta:
        db_table = "tenant"

    def __str__(self) -> str:
        return self.code


class AIJob(models.Model):
    job_id = models.CharField(max_length=128, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, to_field="code")
    status = models.CharField(
        max_length=16,
        choices=[(status.value, status.value) for status in JobStatus],
        default=JobStatus.PENDING.value,
    )
    attempt_count = models.PositiveIntegerField(default=0)
    locked_by = models.CharField(max_length=128, null=True)  # noqa: DJ001  NULL means: nobody
    locked_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    error = models.TextField(default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "ai_job"
        # The sweep looks for the few that nobody has sent among all that ever were.
        indexes = (
            models.Index(
                fields=["created_at"], condition=models.Q(published_at=None), name="ai_job_unpublished"
            ),
        )

    def __str__(self) -> str:
        return f"{self.job_id} ({self.status})"


class AIResult(models.Model):
    job = models.OneToOneField(AIJob, on_delete=models.CASCADE)
    payload = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ai_result"

    def __str__(self) -> str:
        return f"result of {self.job_id}"
