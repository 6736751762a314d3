"""The application's own row for a job: django-q2 knows neither tenants nor ids that must be unique."""

from django.db import models


class Job(models.Model):
    name = models.CharField(max_length=50, unique=True)
    tenant = models.CharField(max_length=50)
    task_id = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, blank=True)
    result = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
