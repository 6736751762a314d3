"""A real worker: one message after another through the delivery procedure that the verifier drives too.

No error loses a message.  An exception in a step is logged, and the message is left alone and returns at its
visibility edge.  Then the worker pauses, longer each time, and receives nothing before the database answers:
every message that it took in vain would have cost one of its receives.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from django.db import connections

from models_under_test.configuration import Configuration
from models_under_test.domain import Outcome, TransientError
from models_under_test.inference import Inference
from models_under_test.log import Log, LogBroken
from models_under_test.logged import LoggedDelivery, LoggedQueue, StepFailed
from models_under_test.pipelines import OpenPipeline
from models_under_test.signals import LOOK_SECONDS, Interrupted, Stop
from models_under_test.sqs import SQSQueue

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STOP_SECONDS = 1.0
"""How long inference that was asked to stop may take to do so."""
STUCK = 3
"""Exit code when it did not stop: the job is released, and only a new process is free of the old thread."""


class Worker:
    """Takes messages of one queue.  ``max_deliveries`` of them end :meth:`run`, refused ones included."""

    def __init__(
        self,
        pipeline: OpenPipeline,
        queue: SQSQueue,
        configuration: Configuration,
        log: Log,
        max_deliveries: int | None = None,
    ) -> None:
        self.stop = Stop(self._stopping)
        self._pipeline = pipeline
        self._queue = queue
        self._configuration = configuration
        self._log = log
        self._left = max_deliveries
        self._failures = 0
        self._stuck = False

    def run(self) -> int:
        """Work until asked to stop.  Return the exit code.  Raises ``LogBroken`` when the log fails."""
        self._started()
        while not (self.stop.asked or self._stuck or self._left == 0):
            try:
                if self._failures:
                    self._probe()
                self._deliver()
                self._failures = 0
            except Interrupted:
                break
            except StepFailed:
                self._recover()
        # Exit code 0 after a signal, even when stuck: a supervisor must not start this worker again.
        code = STUCK if self._stuck and not self.stop.asked else 0
        self._log.write("worker.stopped", f"Worker stopped with exit code {code}", code=code)
        return code

    def _deliver(self) -> None:
        """Take one message through the steps that its procedure names."""
        delivery = self._new_delivery()
        if not delivery.receive():
            return
        if self._left is not None:
            self._left -= 1
        while delivery.next_step is not None:
            if delivery.next_step == "finish":
                delivery.finish(self._infer(delivery))
            else:
                getattr(delivery, delivery.next_step)()

    def _new_delivery(self) -> LoggedDelivery:
        numbers = self._configuration
        queue = LoggedQueue(self._queue, self._log, numbers.visibility_seconds, self.stop.polling)
        procedure = self._pipeline.new_delivery(
            queue, self._worker_id, numbers.lease_seconds, numbers.visibility_seconds
        )
        return LoggedDelivery(procedure, queue, self._pipeline.pipeline, self._log)

    @property
    def _worker_id(self) -> str:
        return self._configuration.worker_id or self._pipeline.pipeline.worker_id

    def _infer(self, delivery: LoggedDelivery) -> Outcome:
        """Run inference, hide the message anew meanwhile, and cut inference off when its time is up."""
        began = time.monotonic()
        job_id, tenant_id = delivery.job
        try:
            request = self._pipeline.request_of(job_id, tenant_id)
            inference = Inference(job_id, request, delivery.attempt)
        except Exception as error:  # noqa: BLE001  the lease is held: give it back rather than let it run out
            return TransientError(f"inference cannot begin: {self._log.error(error)}")
        text = f"inference of job_id={job_id} started"
        self._log.write("inference.started", text, job_id=job_id, tenant_id=tenant_id)
        every = self._configuration.extend_every_seconds
        extended = began
        while not inference.wait(LOOK_SECONDS):
            if reason := self._time_is_up(began):
                return self._cut(inference, delivery, reason)
            if every and time.monotonic() - extended >= every:
                extended = time.monotonic()
                # Inference goes on: if the message returns meanwhile, the lease refuses it.
                with suppress(StepFailed):
                    delivery.extend()
        return inference.outcome

    def _time_is_up(self, began: float) -> str | None:
        now, numbers = time.monotonic(), self._configuration
        if self.stop.asked and now - self.stop.at >= numbers.grace_seconds:
            return f"{self.stop.asked}, and {numbers.grace_seconds:g} s of grace are over"
        if now - began >= numbers.inference_cap_seconds:
            return f"cap of {numbers.inference_cap_seconds:g} s reached"
        return None

    def _cut(self, inference: Inference, delivery: LoggedDelivery, reason: str) -> Outcome:
        job_id, tenant_id = delivery.job
        inference.cancel()
        self._stuck = not inference.wait(STOP_SECONDS)
        text = f"inference of job_id={job_id} cut: {reason}"
        self._log.write(
            "inference.cut", text, job_id=job_id, tenant_id=tenant_id, reason=reason, stuck=self._stuck
        )
        return TransientError(f"inference was cut: {reason}")

    def _recover(self) -> None:
        """After an error: drop the connection, which may be unusable, and pause."""
        try:
            connections.close_all()
        except Exception as error:  # noqa: BLE001  a connection that cannot be closed is gone already
            self._raised(error)
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
        self._failures += 1
        self.stop.pause(pause)

    def _probe(self) -> None:
        """Raises ``StepFailed`` when the database does not answer: then nothing is received."""
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT 1")
        except Exception as error:
            self._raised(error)
            raise StepFailed("receive") from error

    def _raised(self, error: Exception) -> None:
        text = f"nothing is received while the database does not answer: {self._log.error(error)}"
        self._log.write(
            "call.raised",
            text,
            operation="receive",
            job_id=None,
            tenant_id=None,
            error=self._log.error(error),
        )

    def _started(self) -> None:
        numbers = self._configuration
        name = self._pipeline.pipeline.name
        self._log.write(
            "worker.started",
            f"Worker started: {name} from {self._queue.name}",
            pipeline=name,
            pid=os.getpid(),
            queue=self._queue.name,
            lease_seconds=numbers.lease_seconds,
            visibility_seconds=numbers.visibility_seconds,
            max_receives=numbers.max_receives,
        )

    def _stopping(self, name: str) -> None:
        # In a signal handler an error of the log would strike wherever the worker happens to be.
        with suppress(LogBroken):
            self._log.write("worker.stopping", f"Worker stopping: {name}", signal=name)
