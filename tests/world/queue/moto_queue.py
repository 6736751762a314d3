"""moto's SQS behind the verbs of the simulated queue, so that one script can drive both.

moto is an independent reading of what AWS documents, and not AWS: where it is known to differ,
:data:`DIFFERENCES` says so, and ``test_moto_differences.py`` shows each of them.  It has no duplicates,
no lost deletes and no deleted messages that come back, so those are not compared.

Nothing here can reach AWS: moto answers in process, the credentials are made up, and the endpoint is a
host that does not exist, which moto knows by its pattern and no resolver knows at all.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from statemachine.world.clock import Clock
from statemachine.world.queue import LONGEST_VISIBILITY

VISIBILITY_SECONDS = 3600
MAX_RECEIVES = 2
"""The same for both queues; a receive less than deployed, so that short scripts get to the DLQ."""

RETENTION_SECONDS = 14 * 86_400
"""The longest that SQS keeps a message; the simulated queue keeps it for ever, so scripts end before."""

ENDPOINT = "http://sqs.nowhere.amazonaws.com"

DIFFERENCES = {
    "an_old_receipt_handle_deletes": (
        "moto deletes a message by any of its receipt handles, AWS only by the latest: moto is not asked."
    ),
    "an_old_receipt_handle_changes_the_visibility": (
        "moto obeys any receipt handle of a message, the simulated queue only the latest: moto is not asked."
    ),
    "a_message_is_still_hidden_at_its_visibility_edge": (
        "moto shows a message only after the instant at which its timeout ends: "
        "it is asked for messages a millisecond later each time."
    ),
    "the_12_hours_count_from_the_sending": (
        "moto counts the 12 hours from when the message was sent, AWS from when it was received: "
        "what only one of the two allows is not asked."
    ),
    "the_handle_of_a_message_that_is_gone_is_invalid": (
        "moto answers ReceiptHandleIsInvalid where the simulated queue says yes and does nothing, "
        "which AWS leaves open: that answer counts as a yes."
    ),
}
"""What moto does and the simulated queue does not, and what the comparison makes of it."""


class Refused(Exception):
    """moto answered InvalidParameterValue: a visibility timeout or a delay beyond its limit."""


class Counts(NamedTuple):
    """How many messages a queue holds, by GetQueueAttributes; ``hidden`` are in flight or delayed."""

    visible: int
    hidden: int


class Moto:
    """A running moto, its client, and the clock that both see; queues are made as they are needed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.numbers = itertools.count(1)
        self.client: Any = boto3.client(
            "sqs",
            region_name="us-east-1",
            endpoint_url=ENDPOINT,
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
            config=Config(retries={"max_attempts": 0}, connect_timeout=1),
        )


@contextmanager
def running_moto() -> Iterator[Moto]:
    """Start moto and freeze the time, once for many queues: together they take 0.2 s."""
    clock = Clock()
    with mock_aws(), clock.running():
        yield Moto(clock)


class MotoQueue:
    """One queue with its DLQ, by the verbs of ``SimulatedQueue``; close it at the end.

    ``now`` (seconds) is moved by its owner.  A receipt is named as the simulated queue names it, by
    the message and its receive count, so that equal receipts mean equal counts.
    """

    def __init__(self, moto: Moto) -> None:
        self.now: float = 0
        self._moto = moto
        self._client = moto.client
        self._looks = itertools.count(1)
        self.handles: dict[str, str] = {}
        self.sent_at: dict[str, float] = {}
        self.received_at: dict[str, float] = {}
        self._set_clock(0)
        number = next(moto.numbers)
        self.dlq = self._create(f"ai-jobs-{number}-dlq", {})
        policy = {"deadLetterTargetArn": self._arn(self.dlq), "maxReceiveCount": MAX_RECEIVES}
        self.url = self._create(f"ai-jobs-{number}", {"RedrivePolicy": json.dumps(policy)})

    def _create(self, name: str, attributes: dict[str, str]) -> str:
        common = {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
        }
        return str(self._client.create_queue(QueueName=name, Attributes=common | attributes)["QueueUrl"])

    def _attributes(self, url: str, *names: str) -> dict[str, str]:
        answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return dict(answer["Attributes"])

    def _arn(self, url: str) -> str:
        return self._attributes(url, "QueueArn")["QueueArn"]

    def close(self) -> None:
        for url in (self.url, self.dlq):
            self._client.delete_queue(QueueUrl=url)

    def _set_clock(self, seconds: float) -> None:
        self._moto.clock.move_to(seconds)

    def _act(self) -> None:
        """What a call sets to end at a second ends at that second."""
        self._set_clock(self.now)

    def _look(self) -> None:
        """Each look is a millisecond later than the one before: what ends now has ended then."""
        self._set_clock(self.now + next(self._looks) / 1000)

    def send(self, name: str, delay: int = 0) -> None:
        self._act()
        with _refusals():
            self._client.send_message(QueueUrl=self.url, MessageBody=name, DelaySeconds=delay)
        self.sent_at[name] = self.now

    def receive(self) -> str | None:
        """The receipt of the oldest visible message; those that have used up their receives go to the DLQ."""
        self._look()
        answer = self._client.receive_message(
            QueueUrl=self.url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )
        for message in answer.get("Messages", []):
            receipt = f"{message['Body']}#{message['Attributes']['ApproximateReceiveCount']}"
            self.handles[receipt] = message["ReceiptHandle"]
            self.received_at[message["Body"]] = self.now
            return receipt
        return None

    def delete(self, receipt: str) -> None:
        self._act()
        with _handles_of_nothing():
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=self.handles[receipt])

    def change_visibility(self, receipt: str, seconds: int) -> None:
        self._act()
        with _handles_of_nothing(), _refusals():
            self._client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=self.handles[receipt], VisibilityTimeout=seconds
            )

    def counts_12_hours_otherwise(self, receipt: str, seconds: int) -> bool:
        """Whether the limit allows ``seconds`` from the sending and not from the receive, or the reverse."""
        name = receipt.partition("#")[0]
        ends = self.now + seconds
        since = (self.sent_at[name], self.received_at[name])
        return len({ends - start > LONGEST_VISIBILITY for start in since}) > 1

    def counts(self) -> Counts:
        self._look()
        kinds = ("", "NotVisible", "Delayed")
        found = self._attributes(self.url, *(f"ApproximateNumberOfMessages{kind}" for kind in kinds))
        visible, *hidden = (int(found[f"ApproximateNumberOfMessages{kind}"]) for kind in kinds)
        return Counts(visible, sum(hidden))

    def dead(self) -> dict[str, str]:
        """Receipt handles in the DLQ by message, without hiding it there."""
        self._look()
        answer = self._client.receive_message(QueueUrl=self.dlq, VisibilityTimeout=0, MaxNumberOfMessages=10)
        return {message["Body"]: message["ReceiptHandle"] for message in answer.get("Messages", [])}

    def redrive(self, name: str, renewed: str) -> None:
        """As a redrive does: the message leaves the DLQ and enters the queue as a new one."""
        self._client.delete_message(QueueUrl=self.dlq, ReceiptHandle=self.dead()[name])
        self.send(renewed)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidParameterValue":
            raise
        raise Refused(error.response["Error"]["Message"]) from None


@contextmanager
def _handles_of_nothing() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "ReceiptHandleIsInvalid":
            raise
