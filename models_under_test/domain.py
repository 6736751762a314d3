"""The words, the numbers and the ports of the AI job pipeline.  No Django in here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

VISIBILITY_SECONDS = 3600
"""How long SQS hides a received message."""
LEASE_MARGIN_SECONDS = 60
"""Budget for receive → mark_running and for clock skew: the lease ends before the message returns."""
LEASE_SECONDS = VISIBILITY_SECONDS - LEASE_MARGIN_SECONDS  # 3600 - 60 = 3540
INFERENCE_CAP_SECONDS = VISIBILITY_SECONDS
"""A worker cuts inference this long after prepare answered, as a transient error."""
MAX_RECEIVES = 3
"""``maxReceiveCount`` of the queue: the next receive request moves the message to the DLQ."""
RECOVER_AFTER_SECONDS = 60
"""A job that is this old and still unpublished has lost its publisher."""


class JobStatus(StrEnum):
    PENDING = "PENDING"
    RETRYING = "RETRYING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


TERMINAL: frozenset[str] = frozenset({JobStatus.DONE, JobStatus.FAILED})


class Refusal(StrEnum):
    """Why ``prepare_ai_job`` gives no lease.  The worker deletes the message only for ALREADY_ENDED."""

    NO_SUCH_JOB = "no such job for that tenant"
    ALREADY_ENDED = "already DONE or FAILED"
    LEASE_LIVE = "another attempt holds a live lease"


@dataclass(frozen=True, slots=True)
class Lease:
    """A job is yours: show ``attempt``, the fencing token, with whatever you write."""

    attempt: int


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One receipt of one message.  ``job_id`` is None when the body could not be read."""

    receipt_handle: str
    job_id: str | None
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
    """SQS, or whatever stands for it."""

    def send(self, job_id: str, tenant_id: str) -> None: ...

    def receive(self) -> ReceivedMessage | None: ...

    def delete(self, receipt_handle: str) -> None: ...

    def change_visibility(self, receipt_handle: str, seconds: int) -> None: ...


class Publisher(Protocol):
    """Takes jobs over once they are committed, and sends them later."""

    def enqueue(self, job_id: str, tenant_id: str) -> None: ...
