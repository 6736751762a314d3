"""mark_processing looks the video up by its id alone: "the message says which video, that is enough".

A message of another tenant has a video processed that is not its own.

Caught by `tenants_never_mix`.
"""

from datetime import datetime

from models_under_test.domain import Lease, Refusal
from models_under_test.models import Video
from models_under_test.repositories import DjangoVideoRepository


class Repository(DjangoVideoRepository):
    def mark_processing(
        self, video_id: str, tenant_id: str, worker_id: str, now: datetime | None = None
    ) -> Lease | Refusal:
        owner = Video.objects.filter(video_id=video_id).values_list("tenant_id", flat=True).first()
        return super().mark_processing(video_id, owner or tenant_id, worker_id, now)


PARTS = {"repository": Repository}
