"""mark_processing looks at READY and FAILED only: "PROCESSING is where a video is when it comes back".

A duplicate delivery then has a second worker process the video while the first one still does.

Caught by `one_holder_at_a_time`.
"""

from datetime import datetime

from models_under_test.models import Video
from models_under_test.repositories import DjangoVideoRepository


class Repository(DjangoVideoRepository):
    def _lease_expired(self, job: Video, now: datetime) -> bool:
        return True


PARTS = {"repository": Repository}
