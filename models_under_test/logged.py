"""A queue and a delivery procedure that log what they do, and otherwise do what the bare ones do.

The line of a call is written before the call, that of its answer after it.  So the log of a process that dies
in between has the call without an answer, which is what happened (docs/logs.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from models_under_test.domain import Completed, Failed, Lease, Outcome, Refusal, TransientError
from models_under_test.log import Log, LogBroken, from_now, iso
from models_under_test.pipelines import Pipeline
from models_under_test.sqs import SQSMessage, SQSQueue

if TYPE_CHECKING:
    from models_under_test.delivery import LeasedDelivery

REASONS: Mapping[Any, str] = {
    Refusal.ALREADY_ENDED: "ended",
    Refusal.LEASE_LIVE: "lease live",
    Refusal.NO_SUCH_JOB: "no such job",
}
OPERATIONS: Mapping[type, str] = {Completed: "complete", Failed: "fail", TransientError: "release"}
SKIP = "idempotent skip"
"""The reason that is logged when a message is deleted whose job another worker has ended."""


class StepFailed(Exception):
    """A step raised.  That is logged, and the message is left alone."""


class LoggedQueue:
    """The queue of one delivery.  ``polling`` is the context in which it receives, which may take long."""

    def __init__(
        self,
        queue: SQSQueue,
        log: Log,
        visibility_seconds: int,
        polling: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.message: SQSMessage | None = None
        self.why = SKIP
        self._queue = queue
        self._log = log
        self._visibility_seconds = visibility_seconds
        self._polling = polling

    def send(self, job_id: str, tenant_id: str) -> None:
        sent = self._queue.send(job_id, tenant_id)
        text = f"Sent message {sent} job_id={job_id} to {self._queue.name}"
        self._log.write("message.sent", text, message_id=sent, job_id=job_id, tenant_id=tenant_id)

    def receive(self) -> SQSMessage | None:
        with self._polling():
            self.message = message = self._queue.receive()
        if message is not None:
            self._log.write(
                "message.received",
                f"Received message {message.message_id} job_id={message.job_id} "
                f"receive {message.receive_count} from {self._queue.name}",
                **_named(message),
                receive_count=message.receive_count,
                visible_until=from_now(self._visibility_seconds),
                job_id=message.job_id,
                tenant_id=message.tenant_id,
            )
        return message

    def delete(self, receipt_handle: str) -> None:
        message = self._in_hand()
        self._log.write(
            "delete.called",
            f"{self.why}, deleting message {message.message_id} job_id={message.job_id}",
            **_named(message),
            job_id=message.job_id,
            tenant_id=message.tenant_id,
            why=self.why,
        )
        self._queue.delete(receipt_handle)
        self._log.write("message.deleted", f"deleted message {message.message_id}", **_named(message))

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        message = self._in_hand()
        self._queue.change_visibility(receipt_handle, seconds)
        self._log.write(
            "visibility.extended",
            f"message {message.message_id} stays hidden for {seconds} s",
            **_named(message),
            visible_until=from_now(seconds),
        )

    def _in_hand(self) -> SQSMessage:
        if self.message is None:
            raise RuntimeError("no message in hand: receive one first")
        return self.message


def _named(message: SQSMessage) -> dict[str, str]:
    return {"message_id": message.message_id, "receipt": message.receipt}


class LoggedDelivery:
    """One delivery, step by step.  Each step logs, and raises :class:`StepFailed` when it fails."""

    def __init__(self, procedure: LeasedDelivery, queue: LoggedQueue, pipeline: Pipeline, log: Log) -> None:
        self._procedure = procedure
        self._queue = queue
        self._words, self._statuses = pipeline.log_words, pipeline.statuses
        self._log = log
        self._prepare = pipeline.use_cases.prepare

    @property
    def next_step(self) -> str | None:
        return self._procedure.next_step

    @property
    def job(self) -> tuple[str, str]:
        """(job id, tenant id) of the message in hand.  Raises ``RuntimeError`` before ``prepare`` is due."""
        message = self._queue.message
        if message is None or message.job_id is None or message.tenant_id is None:
            raise RuntimeError("no readable message in hand: receive one first")
        return message.job_id, message.tenant_id

    @property
    def attempt(self) -> int:
        """The fencing token of the lease that ``prepare`` took."""
        return self._procedure.attempt

    def receive(self) -> bool:
        """Ask the queue once.  Return whether there was a message."""
        with self._raising_logged("receive"):
            return self._procedure.receive()

    def prepare(self) -> None:
        job_id, tenant_id = self.job
        job = {"job_id": job_id, "tenant_id": tenant_id}
        message_id = self._queue.message.message_id if self._queue.message else None
        text = f"{self._prepare} job_id={job_id}"
        self._log.write("prepare.called", text, **job, message_id=message_id)
        with self._raising_logged("prepare"):
            attempt = self._procedure.prepare()
        answer = self._procedure.answer
        if attempt is None:
            reason = REASONS.get(answer, "not told")
            ended = f", already {self._statuses.done} or {self._statuses.failed}" if reason == "ended" else ""
            text = f"{self._prepare} -> None job_id={job_id}: {reason}{ended}"
            self._log.write("prepare.refused", text, **job, reason=reason)
            return
        expires_at = answer.expires_at if isinstance(answer, Lease) else None
        self._log.write(
            "prepare.accepted",
            f"{self._words.acquire} ok: {self._statuses.running} job_id={job_id} attempt {attempt}",
            **job,
            attempt=attempt,
            lease_expires_at=iso(expires_at) if expires_at else None,
        )

    def extend(self) -> None:
        with self._raising_logged("extend"):
            self._procedure.extend()

    def finish(self, outcome: Outcome) -> None:
        job_id, tenant_id = self.job
        operation = OPERATIONS[type(outcome)]
        call = {
            "operation": operation,
            "job_id": job_id,
            "tenant_id": tenant_id,
            "attempt": self.attempt,
        }
        result = outcome.result if isinstance(outcome, Completed) else None
        error = None if isinstance(outcome, Completed) else outcome.error
        self._log.write("finish.called", f"{operation} job_id={job_id}", **call, result=result, error=error)
        self._queue.why = "job ended"
        with self._raising_logged(operation):
            accepted = self._procedure.finish(outcome)
        status, words = self._accepted(operation)
        if accepted:
            self._log.write("finish.accepted", f"{words} job_id={job_id}", **call, status=status)
        else:
            text = f"{operation} refused: superseded job_id={job_id}"
            self._log.write("finish.refused", text, **call, status=status)

    def acknowledge(self) -> None:
        with self._raising_logged("delete"):
            self._procedure.acknowledge()

    def _accepted(self, operation: str) -> tuple[str, str]:
        """Return the status that ``operation`` asks for, and the log's words for having set it."""
        return {
            "complete": (self._statuses.done, f"{self._words.complete} 1"),
            "fail": (self._statuses.failed, self._words.fail),
            "release": (self._statuses.retrying, f"{self._words.release}: released for another attempt"),
        }[operation]

    @contextmanager
    def _raising_logged(self, operation: str) -> Iterator[None]:
        try:
            yield
        except LogBroken:
            raise
        except Exception as error:
            message = self._queue.message
            self._log.write(
                "call.raised",
                f"{operation} raised, the message is left alone: {self._log.error(error)}",
                operation=operation,
                job_id=message.job_id if message else None,
                tenant_id=message.tenant_id if message else None,
                error=self._log.error(error),
            )
            raise StepFailed(operation) from error
