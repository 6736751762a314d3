"""SQS by boto3: the queue of a real worker, its creation, and the redrive of its DLQ.

Endpoint and keys are always the configured ones.  boto3's own search for credentials (environment, profiles,
instance metadata) is never begun: a worker with an incomplete configuration must stop, and not act on the
account that the machine happens to belong to.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from models_under_test.configuration import Configuration
from models_under_test.domain import ReceivedMessage
from models_under_test.pipelines import dlq_of

RETENTION_SECONDS = 14 * 86_400
"""The longest that SQS keeps a message: 14 days.  They count from the sending, in the DLQ as well."""
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5
"""How long to wait for an answer beyond the poll: short, so that a stop is heard between two calls."""
REDRIVE_SECONDS = 60
"""How long a message of the DLQ is hidden while it is moved."""

_NO_SHARED_FILES: Mapping[str, Any] = {
    # (name in a profile, environment variable, default, conversion), as botocore's own table has it.
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True, slots=True)
class SQSMessage(ReceivedMessage):
    """A received message with the attributes that the log needs."""

    message_id: str
    receive_count: int  # ApproximateReceiveCount, this receive included

    @property
    def receipt(self) -> str:
        """A short name of this receipt for the log: by the handle a reader could delete the message."""
        return hashlib.sha256(self.receipt_handle.encode()).hexdigest()[:12]


class Clients(NamedTuple):
    """Two clients of one endpoint, with different timeouts."""

    calls: Any  # answers or fails within ANSWER_SECONDS
    polls: Any  # waits as long as a receive may take


def connect(configuration: Configuration) -> Clients:
    """Return clients for the configured endpoint.  Sends nothing."""
    session = botocore.session.Session(session_vars=dict(_NO_SHARED_FILES))

    def client(seconds: float) -> Any:
        return session.create_client(
            "sqs",
            region_name=configuration.sqs_region,
            endpoint_url=configuration.sqs_endpoint_url,
            aws_access_key_id=configuration.sqs_access_key_id,
            aws_secret_access_key=configuration.sqs_secret_access_key,
            # One attempt: a receive that boto3 repeated by itself would be in no log.
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=seconds,
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )

    return Clients(client(ANSWER_SECONDS), client(configuration.poll_seconds + ANSWER_SECONDS))


class SQSQueue:
    """One queue.  Errors of SQS reach the caller as botocore's ``ClientError`` or ``BotoCoreError``."""

    def __init__(self, clients: Clients, name: str, visibility_seconds: int, poll_seconds: int) -> None:
        self.name = name
        self._clients = clients
        self._visibility_seconds = visibility_seconds
        self._poll_seconds = poll_seconds

    @cached_property
    def _url(self) -> str:
        return _url(self._clients.calls, self.name)

    def send(self, job_id: str, tenant_id: str) -> str:
        """Send a message.  Return the id that SQS gave it."""
        body = json.dumps({"job_id": job_id, "tenant_id": tenant_id})
        return str(self._clients.calls.send_message(QueueUrl=self._url, MessageBody=body)["MessageId"])

    def receive(self) -> SQSMessage | None:
        """Wait for a message at most ``poll_seconds``, and hide it for the visibility timeout."""
        answer = self._clients.polls.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            VisibilityTimeout=self._visibility_seconds,
            WaitTimeSeconds=self._poll_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        for message in answer.get("Messages", []):
            job_id, tenant_id = parse(message["Body"])
            count = int(message["Attributes"]["ApproximateReceiveCount"])
            return SQSMessage(message["ReceiptHandle"], job_id, tenant_id, message["MessageId"], count)
        return None

    def delete(self, receipt_handle: str) -> None:
        self._clients.calls.delete_message(QueueUrl=self._url, ReceiptHandle=receipt_handle)

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        self._clients.calls.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )


def parse(body: str) -> tuple[str, str] | tuple[None, None]:
    """Return (job id, tenant id), or (None, None) for a body that does not name both."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(found, dict):
        return None, None
    job_id, tenant_id = found.get("job_id"), found.get("tenant_id")
    if not (isinstance(job_id, str) and isinstance(tenant_id, str) and job_id and tenant_id):
        return None, None
    return job_id, tenant_id


def create_queues(client: Any, names: Iterable[str], configuration: Configuration) -> None:
    """Create each queue and its DLQ, or give those that exist the configured attributes."""
    common = {
        "MessageRetentionPeriod": str(RETENTION_SECONDS),
        "ReceiveMessageWaitTimeSeconds": str(configuration.poll_seconds),
        "VisibilityTimeout": str(configuration.visibility_seconds),
    }
    for name in names:
        dlq = _ensure(client, dlq_of(name), common)
        arn = client.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"deadLetterTargetArn": arn, "maxReceiveCount": configuration.max_receives}
        _ensure(client, name, common | {"RedrivePolicy": json.dumps(policy)})


def _ensure(client: Any, name: str, attributes: dict[str, str]) -> str:
    try:
        url = _url(client, name)
    except NoQueue:
        return str(client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
    client.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


class NoQueue(LookupError):
    """The endpoint answers and has no queue of that name."""


def _url(client: Any, name: str) -> str:
    try:
        return str(client.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if "NonExistentQueue" not in error.response["Error"]["Code"]:
            raise
        raise NoQueue(f"there is no queue {name}: make it with create-queues") from None


def redrive(client: Any, name: str) -> Iterator[tuple[str, str]]:
    """Move every message of the DLQ back into its queue.  Yield (old message id, new one) of each.

    Each is sent before it is deleted: a process that dies in between has doubled a message, not lost it.
    """
    queue, dlq = _url(client, name), _url(client, dlq_of(name))
    # Without a wait SQS asks only some of its servers, and may find nothing where there is something.
    while found := client.receive_message(
        QueueUrl=dlq, VisibilityTimeout=REDRIVE_SECONDS, WaitTimeSeconds=1
    ).get("Messages"):
        for message in found:
            sent = client.send_message(QueueUrl=queue, MessageBody=message["Body"])
            client.delete_message(QueueUrl=dlq, ReceiptHandle=message["ReceiptHandle"])
            yield message["MessageId"], str(sent["MessageId"])
