"""The statuses, durations and ports of the three pipelines: AI jobs, videos, notifications.

All three are leased jobs with the same durations (seconds); they differ in their names only.  No Django in
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

VISIBILITY_SECONDS = 3600
"""How long SQS hides a received message."""
LEASE_MARGIN_SECONDS = 60
"""Time for receive → mark_running and for clock skew, so that a lease ends before its message returns."""
LEASE_SECONDS = VISIBILITY_SECONDS - LEASE_MARGIN_SECONDS  # 3600 - 60 = 3540
INFERENCE_CAP_SECONDS = VISIBILITY_SECONDS
"""A worker cuts inference this long after prepare answered, as a transient error."""
MAX_RECEIVES = 3
"""``maxReceiveCount`` of the queue: the next receive request moves the message to the DLQ."""
RECOVER_AFTER_SECONDS = 60
"""From this age on, a job that is still unpublished has lost its publisher: the sweep sends it."""


class JobStatus(StrEnum):
    PENDING = "PENDING"
    RETRYING = "RETRYING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class VideoStatus(StrEnum):
    UPLOADED = "UPLOADED"
    RETRYING = "RETRYING"
    PROCESSING = "PROCESSING"
    READY = "READY"
    FAILED = "FAILED"


class NotificationStatus(StrEnum):
    PENDING = "PENDING"
    RETRYING = "RETRYING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class Statuses(NamedTuple):
    """What a pipeline calls the five states of a leased job."""

    pending: str
    retrying: str
    running: str
    done: str
    failed: str

    @property
    def terminal(self) -> frozenset[str]:
        """The statuses that no job leaves."""
        return frozenset({self.done, self.failed})


AI_STATUSES = Statuses(*JobStatus)
VIDEO_STATUSES = Statuses(*VideoStatus)
NOTIFICATION_STATUSES = Statuses(*NotificationStatus)
TERMINAL: frozenset[str] = AI_STATUSES.terminal


class UseCaseNames(NamedTuple):
    """What a pipeline calls its use cases."""

    create: str
    publish: str
    recover: str
    prepare: str
    complete: str
    fail: str
    release: str


AI_USE_CASES = UseCaseNames(
    create="create_ai_job",
    publish="publish_ai_job",
    recover="recover_unpublished_ai_jobs",
    prepare="prepare_ai_job",
    complete="complete_ai_job",
    fail="fail_ai_job",
    release="release_ai_job",
)
VIDEO_USE_CASES = UseCaseNames(
    create="create_video",
    publish="publish_video",
    recover="recover_unpublished_videos",
    prepare="prepare_video",
    complete="complete_video",
    fail="fail_video",
    release="release_video",
)
MESSAGING_USE_CASES = UseCaseNames(
    create="create_notification",
    publish="publish_notification",
    recover="recover_unpublished_notifications",
    prepare="prepare_notification",
    complete="create_notification_log",
    fail="fail_notification",
    release="release_notification",
)


class Refusal(StrEnum):
    """Why ``prepare_ai_job`` and its like give no lease.

    The worker deletes the message only for ALREADY_ENDED.
    """

    NO_SUCH_JOB = "no such job for that tenant"
    ALREADY_ENDED = "already DONE or FAILED"
    LEASE_LIVE = "another attempt holds a live lease"


@dataclass(frozen=True, slots=True)
class Lease:
    """The caller owns the job until another attempt takes it over."""

    attempt: int  # the fencing token, to be shown with every write
    expires_at: datetime | None = None  # the end of the lease as it was stored


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One receipt of one message."""

    receipt_handle: str
    job_id: str | None  # the id of the job, video or notification; None: the body cannot be read
    tenant_id: str | None


@dataclass(frozen=True, slots=True)
class Completed:
    """Inference ended with a result."""

    result: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Inference ended, and trying again would not help."""

    error: str


@dataclass(frozen=True, slots=True)
class TransientError:
    """Inference was cut or broke for a reason that may pass: try again later."""

    error: str


Outcome = Completed | Failed | TransientError


class Queue(Protocol):
    """SQS, or what stands for it in a test."""

    def send(self, job_id: str, tenant_id: str) -> None: ...

    def receive(self) -> ReceivedMessage | None: ...

    def delete(self, receipt_handle: str) -> None: ...

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Hide the message for ``seconds`` from now."""


class Publisher(Protocol):
    """Takes over committed jobs and sends them later."""

    def enqueue(self, job_id: str, tenant_id: str) -> None: ...
