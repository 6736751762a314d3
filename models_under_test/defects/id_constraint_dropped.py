"""A migration drops the unique index of job_id, since add() looks for the id itself before it inserts.

Two creations of one id at once both find none, and there are two jobs.

Caught by `a_job_is_created_once` in the transactions lane.
"""

from typing import Any

from django.db import IntegrityError

from models_under_test.models import AIJob
from models_under_test.repositories import DjangoAIJobRepository


class Repository(DjangoAIJobRepository):
    def add(self, job_id: str, *rest: Any, **further: Any) -> None:
        if AIJob.objects.filter(job_id=job_id).exists():
            raise IntegrityError(f"there is a job {job_id}")
        super().add(job_id, *rest, **further)


PARTS = {"repository": Repository}
SCHEMA = ("ALTER TABLE ai_job DROP CONSTRAINT IF EXISTS ai_job_job_id_key",)
