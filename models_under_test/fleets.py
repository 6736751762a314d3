"""The worker processes of the pipelines, for the verifier's lane of real processes and for the gate.

Jobs are created and sent here by the same use cases that the application calls; workers are started by
the same command that an operator types.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from models_under_test import configuration
from models_under_test.pipelines import OpenPipeline, Pipeline, dlq_of
from models_under_test.sqs import SQSQueue, connect, create_queues
from models_under_test.variables import SQS, VARIABLES
from statemachine.binding import ObservedRow
from statemachine.binding.fleet import Stage, Stop, Work
from statemachine.lifecycle import Lifecycle
from statemachine.processes.workers import line

CORRECT, PLANTED = "models_under_test", "models_under_test.defects"
"""The module that a worker is started with: the system, or the system with a planted defect."""


def environment(stage: Stage) -> dict[str, str]:
    """Return the environment of every process that runs on ``stage``."""
    # A variable that the shell has set is about another fleet: a log file, say, that no test reads.
    unset = dict.fromkeys(VARIABLES, "")
    return unset | {
        # A proxy of the shell would be asked for a queue on loopback.
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "JOBS_DATABASE_URL": stage.database_url,
        "JOBS_SQS_ENDPOINT_URL": stage.sqs_endpoint,
        "JOBS_SQS_REGION": "us-east-1",
        "JOBS_SQS_ACCESS_KEY_ID": "nobody",
        "JOBS_SQS_SECRET_ACCESS_KEY": "nothing",
        "JOBS_VISIBILITY_SECONDS": str(stage.visibility_seconds),
        "JOBS_LEASE_MARGIN_SECONDS": str(stage.margin_seconds),
        "JOBS_MAX_RECEIVES": str(stage.max_receives),
        "JOBS_POLL_SECONDS": "1",
    }


class BoundPipeline(Protocol):
    """What a fleet needs of its pipeline's binding, which imports this module: not the other way round."""

    @property
    def pipeline(self) -> Pipeline: ...

    @property
    def lifecycle(self) -> Lifecycle: ...

    @property
    def tenants(self) -> Sequence[str]: ...

    def open(self, queue: Any, publisher: Any) -> None: ...

    def planted_parts(self) -> Mapping[str, Any]: ...

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]: ...


class PipelineFleet:
    """One pipeline's workers on a stage: the ``Fleet`` of ``statemachine/binding/fleet.py``."""

    stop_commands: Mapping[Stop, Sequence[str]] = {}

    def __init__(self, binding: BoundPipeline, stage: Stage) -> None:
        self.name = binding.pipeline.name
        self.binding = f"{type(binding).__module__}:{type(binding).__name__}"
        self.tenants = binding.tenants
        self.lifecycle = replace(
            binding.lifecycle,
            lease_seconds=stage.lease_seconds,
            visibility_seconds=stage.visibility_seconds,
            inference_cap_seconds=stage.visibility_seconds,
            max_receives=stage.max_receives,
        )
        queue = binding.pipeline.default_queue
        self.queues = (queue, dlq_of(queue))
        self._bound = binding
        self._defect = stage.defect
        self._configuration = configuration.read(environment(stage), {SQS})
        self._clients = connect(self._configuration)
        self._queue = SQSQueue(self._clients, queue, stage.visibility_seconds, 0)
        binding.open(_NOWHERE, _NOWHERE)
        self._system = OpenPipeline(binding.pipeline, binding.planted_parts())

    def command(self, worker: str) -> Sequence[str]:
        entry = PLANTED if self._defect else CORRECT
        return (sys.executable, "-m", entry, "worker", "--queue", self.name)

    def environment(self, worker: str) -> Mapping[str, str]:
        planted = {"JOBS_DEFECT": self._defect} if self._defect else {}
        return {"JOBS_WORKER_NAME": worker, **planted}

    def create_queues(self) -> None:
        create_queues(self._clients.calls, self._bound.pipeline.queues, self._configuration)

    def enqueue(self, job: str, tenant: str, work: Work) -> Sequence[str]:
        self._system.create(_NOWHERE, job, tenant, json.dumps(work._asdict()))
        created = line("job.created", f"created job_id={job}", job_id=job, tenant_id=tenant)
        sent = _Noted(self._queue)
        self._system.publish(sent, job, tenant)
        return [created, *sent.lines]

    def send_again(self, job: str, tenant: str) -> Sequence[str]:
        sent = _Noted(self._queue)
        sent.send(job, tenant)
        return sent.lines

    def observe(self, jobs: Sequence[str]) -> Sequence[ObservedRow]:
        return list(self._bound.observe(jobs)) if jobs else []


class _Nowhere:
    """A publisher that does nothing: the fleet sends its jobs itself."""

    def enqueue(self, job: str, tenant: str) -> None: ...


_NOWHERE: Any = _Nowhere()


class _Noted:
    """The queue, with a log line for each message sent."""

    def __init__(self, queue: SQSQueue) -> None:
        self._queue = queue
        self.lines: list[str] = []

    def send(self, job_id: str, tenant_id: str) -> None:
        message = self._queue.send(job_id, tenant_id)
        text = f"Sent message {message} job_id={job_id}"
        self.lines.append(line("message.sent", text, message_id=message, job_id=job_id, tenant_id=tenant_id))
