"""The commands: run a worker, make queues and tables, create jobs, sweep, redrive.

Each returns the exit code.  What a command does to jobs and messages is logged as a worker logs it, under the
name ``operator`` unless ``JOBS_WORKER_NAME`` says otherwise.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import IntegrityError

from models_under_test.configuration import Configuration
from models_under_test.log import Log
from models_under_test.logged import LoggedQueue
from models_under_test.models import Tenant
from models_under_test.pipelines import PIPELINES
from models_under_test.sqs import SQSQueue, connect, create_queues, redrive
from models_under_test.worker import Worker

if TYPE_CHECKING:
    from models_under_test.pipelines import OpenPipeline

DONE, FAILED = 0, 1


class Office:
    """What a command works with: options, configuration, log, and the pipeline of ``--queue`` if any."""

    def __init__(
        self, asked: argparse.Namespace, configuration: Configuration, pipeline: OpenPipeline | None, log: Log
    ) -> None:
        self.asked = asked
        self.configuration = configuration
        self.log = log
        self._pipeline = pipeline

    @property
    def pipeline(self) -> OpenPipeline:
        if self._pipeline is None:
            raise RuntimeError("this command has no --queue: give it one in the table of commands")
        return self._pipeline

    def queue(self) -> SQSQueue:
        """The queue of ``--queue`` and ``--tier``."""
        numbers = self.configuration
        name = self.asked.tier or self.pipeline.pipeline.default_queue
        return SQSQueue(connect(numbers), name, numbers.visibility_seconds, numbers.poll_seconds)

    def logged_queue(self) -> LoggedQueue:
        return LoggedQueue(self.queue(), self.log, self.configuration.visibility_seconds)


class InTray:
    """A publisher that collects committed jobs, to be sent afterwards, outside of the transaction."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, str]] = []

    def enqueue(self, job_id: str, tenant_id: str) -> None:
        self.jobs.append((job_id, tenant_id))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def work(office: Office) -> int:
    numbers = office.configuration
    worker = Worker(office.pipeline, office.queue(), numbers, office.log, office.asked.max_jobs)
    worker.stop.install()
    return worker.run()


def migrate(office: Office) -> int:
    call_command("migrate", interactive=False, verbosity=0)
    _say("the tables are as the code needs them")
    return DONE


def make_queues(office: Office) -> int:
    names = [name for pipeline in PIPELINES.values() for name in pipeline.queues]
    create_queues(connect(office.configuration).calls, names, office.configuration)
    for name in names:
        _say(f"{name} and its DLQ are ready")
    return DONE


def enqueue(office: Office) -> int:
    """Create jobs, send their messages and mark them as published.

    A job that exists is left as it is; that is reported, and the exit code is then 1.
    """
    asked, tray, code = office.asked, InTray(), DONE
    Tenant.objects.get_or_create(code=asked.tenant)
    queue = office.logged_queue()
    for job_id in asked.job:
        try:
            office.pipeline.create(tray, job_id, asked.tenant, asked.request)
        except IntegrityError:
            sys.stderr.write(f"there is a job {job_id} already: it was left as it is\n")
            code = FAILED
            continue
        office.log.write("job.created", f"created job_id={job_id}", job_id=job_id, tenant_id=asked.tenant)
        while tray.jobs:
            office.pipeline.publish(queue, *tray.jobs.pop(0))
        if asked.twice:
            queue.send(job_id, asked.tenant)
    return code


def sweep(office: Office) -> int:
    office.pipeline.recover(office.logged_queue())
    return DONE


def move_back(office: Office) -> int:
    queue = office.queue()
    for message_id, renewed in redrive(connect(office.configuration).calls, queue.name):
        text = f"message {message_id} moved from {queue.name}'s DLQ back as {renewed}"
        office.log.write("message.redriven", text, message_id=message_id, renewed=renewed)
    return DONE
