"""mark_ready takes any rendition of a video that is PROCESSING: "somebody has made it, so show it".

A slow worker whose lease has expired then ends the video while another attempt processes it.

Caught by `only_the_holder_finishes`.
"""

from datetime import datetime

from models_under_test.models import Video
from models_under_test.repositories import DjangoVideoRepository


class Repository(DjangoVideoRepository):
    def mark_ready(
        self, video_id: str, tenant_id: str, attempt: int, rendition: str, now: datetime | None = None
    ) -> bool:
        processing = Video.objects.filter(video_id=video_id, status="PROCESSING")
        current = processing.values_list("attempt_count", flat=True).first()
        return super().mark_ready(video_id, tenant_id, current or attempt, rendition, now)


PARTS = {"repository": Repository}
