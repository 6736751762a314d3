"""The delivery procedure: what a worker does with one message, step by step.

``receive → prepare → (inference) → finish → acknowledge``, in every pipeline.  A worker process drives it, or
the verifier.  Either may stop between any two steps for ever: that is what a killed worker does.
"""

from __future__ import annotations

from typing import Any

from models_under_test.domain import (
    AI_USE_CASES,
    MESSAGING_USE_CASES,
    VIDEO_USE_CASES,
    VISIBILITY_SECONDS,
    Completed,
    Failed,
    Lease,
    Outcome,
    Queue,
    ReceivedMessage,
    Refusal,
    UseCaseNames,
)
from models_under_test.unit_of_work import DjangoUnitOfWork


class LeasedDelivery:
    """One message in the hands of one worker."""

    names: UseCaseNames
    """The names of the functions that are attributes of ``use_cases``."""
    visibility_seconds = VISIBILITY_SECONDS
    """For how long :meth:`extend` hides the message.  Set on an instance for workers with scaled numbers."""

    def __init__(self, uow: DjangoUnitOfWork, queue: Queue, worker_id: str, use_cases: Any) -> None:
        self.use_cases = use_cases
        self.uow = uow
        self.queue = queue
        self.worker_id = worker_id
        self.message: ReceivedMessage | None = None
        self.answer: Lease | Refusal | None = None
        self.next_step: str | None = "receive"  # None: done with this message

    def receive(self) -> bool:
        """Ask the queue once.  Return False when it had nothing.

        A message whose body cannot be read is left alone; it ends in the DLQ, for an operator.
        """
        self.message = self.queue.receive()
        self.next_step = "prepare" if self.message and self.message.job_id else None
        return self.message is not None

    def prepare(self) -> int | None:
        """Take the lease.  Return its attempt number, or None when this delivery gets none.

        Only an ended job's message is deleted.  A message refused for a live lease is left alone: it
        returns after that lease has ended, and finds the job either finished or free to take over.
        One that names no job of its tenant is left for an operator, in the DLQ.
        """
        job_id, tenant_id = self._job()
        self.answer = self._use_case(self.names.prepare)(self.uow, job_id, tenant_id, self.worker_id)
        if isinstance(self.answer, Lease):
            self.next_step = "finish"
            return self.answer.attempt
        self.next_step = "acknowledge" if self.answer is Refusal.ALREADY_ENDED else None
        return None

    def extend(self) -> None:
        """During inference: hide the message for another ``visibility_seconds``."""
        if self.message is not None:
            self.queue.change_visibility(self.message.receipt_handle, self.visibility_seconds)

    def finish(self, outcome: Outcome) -> bool:
        """Write the outcome of inference.  Return False when another attempt has taken the job over."""
        if isinstance(outcome, Completed):
            name, payload = self.names.complete, outcome.result
        elif isinstance(outcome, Failed):
            name, payload = self.names.fail, outcome.error
        else:
            name, payload = self.names.release, outcome.error
        job_id, tenant_id = self._job()
        accepted: bool = self._use_case(name)(self.uow, job_id, tenant_id, self.attempt, payload)
        # A released job has not ended: its message must come back.
        self.next_step = "acknowledge" if accepted and name != self.names.release else None
        return accepted

    def acknowledge(self) -> None:
        """Delete the message: its job has ended, and that is committed."""
        if self.message is not None:
            self.queue.delete(self.message.receipt_handle)
        self.next_step = None

    @property
    def attempt(self) -> int:
        """The fencing token of the lease that :meth:`prepare` took."""
        if not isinstance(self.answer, Lease):
            raise RuntimeError(f"{self.next_step} without a lease: prepare was not accepted")
        return self.answer.attempt

    def _use_case(self, name: str) -> Any:
        return getattr(self.use_cases, name)

    def _job(self) -> tuple[str, str]:
        if self.message is None or self.message.job_id is None or self.message.tenant_id is None:
            raise RuntimeError(f"{self.next_step} without a readable message: receive one first")
        return self.message.job_id, self.message.tenant_id


class AIJobDelivery(LeasedDelivery):
    names = AI_USE_CASES


class VideoDelivery(LeasedDelivery):
    names = VIDEO_USE_CASES


class NotificationDelivery(LeasedDelivery):
    """Inference is the call of the provider here; ``create_notification_log`` stores its answer."""

    names = MESSAGING_USE_CASES
