"""mark_failed writes the status with an update of its own, and forgets what else belongs to an end.

The video is FAILED, yet its row says that a worker has it.

Caught by `running_means_leased`.
"""

from datetime import datetime

from models_under_test.models import Video
from models_under_test.repositories import DjangoVideoRepository


class Repository(DjangoVideoRepository):
    def _end_lease(self, job: Video, status: str, now: datetime) -> None:
        if status != "FAILED":
            super()._end_lease(job, status, now)
        else:
            Video.objects.filter(pk=job.pk).update(status=status, updated_at=now)


PARTS = {"repository": Repository}
