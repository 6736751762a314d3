"""Start and stop the SQS server of a run, and work on its queues as an operator does.

Every client is given its endpoint and its (meaningless) credentials.  Nothing is looked up in the
environment, so no command of this package can reach a real queue.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any, NamedTuple

REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
_NO_FILES: Mapping[str, Any] = {
    # (name in a profile, environment variable, default, conversion), as botocore's own table has it.
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Profiles and files in which botocore would look for credentials: none."""


NEEDED = ("boto3", "moto", "werkzeug")


class NotInstalled(RuntimeError):
    """A package that this lane needs is missing; the message says how to install it."""


class SQSServer:
    """A running server.  ``endpoint`` stays the same while it is down."""

    def __init__(self, process: subprocess.Popen[str], endpoint: str) -> None:
        self._process = process
        self.endpoint = endpoint

    def down(self) -> None:
        """Refuse connections until :meth:`up`; messages are kept.

        Both raise ``ConnectionError`` when the server has died.
        """
        self._ask("down")

    def up(self) -> None:
        self._ask("up")

    def _ask(self, command: str) -> None:
        to, answers = self._process.stdin, self._process.stdout
        if to is None or answers is None:
            raise RuntimeError("the SQS server was started without pipes: start it by sqs_server()")
        try:
            to.write(f"{command}\n")
            to.flush()
            answer = answers.readline().strip()
        except BrokenPipeError:
            answer = ""
        if answer != command:
            raise ConnectionError(
                f"the run's own SQS server has died before it was told {command}; run again"
            )


@contextmanager
def sqs_server() -> Iterator[SQSServer]:
    """Start a fresh SQS on loopback, and stop it afterwards.  Raises :class:`NotInstalled` without moto."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise NotInstalled(
            f"real workers need {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            "installed: pip install '.[processes]' brings them"
        )
    command = [sys.executable, "-m", f"{__package__}.sqs_server"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # moto looks for credentials of its own, and fails of a profile that is not there.
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        # Ctrl-C in a terminal goes to a whole process group, and stopping workers still need their queue.
        start_new_session=True,
    )
    try:
        endpoint = process.stdout.readline().strip() if process.stdout else ""
        if not endpoint:
            raise NotInstalled(
                "the SQS server did not start, see above: pip install '.[processes]' brings what it needs"
            )
        yield SQSServer(process, endpoint)
    finally:
        process.terminate()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()


class Body(NamedTuple):
    """A received message: its id, its receipt handle and its body."""

    message: str
    receipt: str
    text: str


class Operator:
    """Looks into the queues of a run and redrives dead letters; it knows no other endpoint."""

    def __init__(self, endpoint: str) -> None:
        import botocore.session
        from botocore.config import Config

        session = botocore.session.Session(session_vars=dict(_NO_FILES))
        patient = Config(
            retries={"total_max_attempts": 5},
            connect_timeout=5,
            read_timeout=30,
            # Empty: a proxy of the environment would be asked for a queue on loopback.
            proxies={},
            use_fips_endpoint=False,
        )
        self._sqs: Any = session.create_client(
            "sqs", endpoint_url=endpoint, region_name=REGION, config=patient, **CREDENTIALS
        )
        self._urls: dict[str, str] = {}

    def depth(self, queue: str) -> int:
        """Return how many messages a queue holds, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def take(self, queue: str) -> Iterator[Body]:
        """Receive all messages that are visible now, ten at a time."""
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._url(queue), MaxNumberOfMessages=10, WaitTimeSeconds=0, VisibilityTimeout=30
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                yield Body(message["MessageId"], message["ReceiptHandle"], message["Body"])

    def redrive(self, body: Body, dead: str, queue: str) -> str:
        """Move one message from the DLQ ``dead`` back to ``queue``; return the id of the new one.

        Sent before it is deleted: if this process dies in between it is there twice, never lost.
        """
        sent = self._sqs.send_message(QueueUrl=self._url(queue), MessageBody=body.text)
        self._sqs.delete_message(QueueUrl=self._url(dead), ReceiptHandle=body.receipt)
        renewed: str = sent["MessageId"]
        return renewed

    def _url(self, queue: str) -> str:
        if queue not in self._urls:
            self._urls[queue] = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        return self._urls[queue]
