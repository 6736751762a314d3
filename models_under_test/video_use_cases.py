"""What the application does with videos, each in one transaction of its own.

A video is a leased job like any other: processed by one worker at a time, made READY once.
"""

from __future__ import annotations

from models_under_test.domain import Lease, Publisher, Queue, Refusal
from models_under_test.unit_of_work import DjangoUnitOfWork


def create_video(
    uow: DjangoUnitOfWork,
    publisher: Publisher,
    video_id: str,
    tenant_id: str,
    request: str = "",
    lecture_id: int | None = None,
) -> None:
    """Store an UPLOADED video; once that is committed, hand it to the publisher.

    Raises ``IntegrityError`` when the id is taken, ``LookupError`` when the tenant has no such lecture.
    """
    with uow:
        uow.jobs.add(video_id, tenant_id, request, lecture_id=lecture_id)
        uow.after_commit(lambda: publisher.enqueue(video_id, tenant_id))


def publish_video(uow: DjangoUnitOfWork, queue: Queue, video_id: str, tenant_id: str) -> None:
    """Send, then store that it was sent: a crash in between sends the video twice, never not at all."""
    queue.send(video_id, tenant_id)
    with uow:
        uow.jobs.mark_published(video_id, tenant_id)


def recover_unpublished_videos(uow: DjangoUnitOfWork, queue: Queue) -> None:
    """The sweep: publish the videos whose publisher died between commit and send."""
    with uow:
        unsent = uow.jobs.unpublished()
    for video_id, tenant_id in unsent:
        publish_video(uow, queue, video_id, tenant_id)


def prepare_video(uow: DjangoUnitOfWork, video_id: str, tenant_id: str, worker_id: str) -> Lease | Refusal:
    """Lock the row and take the lease; return it, or the reason why this delivery gets none."""
    with uow:
        return uow.jobs.mark_processing(video_id, tenant_id, worker_id)


def complete_video(
    uow: DjangoUnitOfWork, video_id: str, tenant_id: str, attempt: int, rendition: str
) -> bool:
    """Store READY and the rendition in one commit.  False when ``attempt`` no longer owns the video."""
    with uow:
        return uow.jobs.mark_ready(video_id, tenant_id, attempt, rendition)


def fail_video(uow: DjangoUnitOfWork, video_id: str, tenant_id: str, attempt: int, error: str) -> bool:
    """Store FAILED, without a rendition.  Return False when ``attempt`` no longer owns the video."""
    with uow:
        return uow.jobs.mark_failed(video_id, tenant_id, attempt, error)


def release_video(uow: DjangoUnitOfWork, video_id: str, tenant_id: str, attempt: int, error: str) -> bool:
    """Give the video back after a transient error: another attempt begins when its message returns."""
    with uow:
        return uow.jobs.mark_retrying(video_id, tenant_id, attempt, error)
