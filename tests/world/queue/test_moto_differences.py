"""moto still differs as ``DIFFERENCES`` says, each shown on moto itself.

A test that fails here is good news: moto has changed, and the comparison can stop leaving that out.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from statemachine.world.queue import LONGEST_VISIBILITY
from tests.world.queue.moto_queue import (
    DIFFERENCES,
    ENDPOINT,
    VISIBILITY_SECONDS,
    Counts,
    Moto,
    MotoQueue,
    Refused,
)


@pytest.fixture
def queue(moto: Moto) -> Iterator[MotoQueue]:
    queue = MotoQueue(moto)
    queue.send("m1")
    yield queue
    queue.close()


def receive_again(queue: MotoQueue) -> tuple[str, str]:
    """An old and a new receipt of the same message."""
    old = queue.receive()
    queue.now += VISIBILITY_SECONDS
    new = queue.receive()
    assert (old, new) == ("m1#1", "m1#2")
    return str(old), str(new)


def test_an_old_receipt_handle_deletes(queue: MotoQueue) -> None:
    old, _ = receive_again(queue)
    assert queue.counts() == Counts(visible=0, hidden=1)
    queue.delete(old)
    assert queue.counts() == Counts(visible=0, hidden=0)


def test_an_old_receipt_handle_changes_the_visibility(queue: MotoQueue) -> None:
    old, _ = receive_again(queue)
    queue.change_visibility(old, 0)
    assert queue.counts() == Counts(visible=1, hidden=0)


def test_a_message_is_still_hidden_at_its_visibility_edge(queue: MotoQueue, moto: Moto) -> None:
    """Received and sought without the millisecond by which :class:`MotoQueue` makes up for it."""

    def received_at(seconds: float) -> int:
        moto.clock.move_to(seconds)
        return len(moto.client.receive_message(QueueUrl=queue.url).get("Messages", []))

    assert received_at(0) == 1
    assert received_at(VISIBILITY_SECONDS) == 0
    assert received_at(VISIBILITY_SECONDS + 0.001) == 1


def test_the_12_hours_count_from_the_sending(queue: MotoQueue) -> None:
    queue.now = 1
    receipt = str(queue.receive())
    assert queue.counts_12_hours_otherwise(receipt, LONGEST_VISIBILITY)
    with pytest.raises(Refused, match="beyond the limit"):
        queue.change_visibility(receipt, LONGEST_VISIBILITY)
    assert not queue.counts_12_hours_otherwise(receipt, LONGEST_VISIBILITY - 1)
    queue.change_visibility(receipt, LONGEST_VISIBILITY - 1)


def test_the_handle_of_a_message_that_is_gone_is_invalid(queue: MotoQueue, moto: Moto) -> None:
    receipt = str(queue.receive())
    queue.delete(receipt)
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        moto.client.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=queue.handles[receipt], VisibilityTimeout=0
        )
    queue.change_visibility(receipt, 0)


def test_every_difference_is_shown_here() -> None:
    tests = dict(inspect.getmembers(sys.modules[__name__], inspect.isfunction))
    assert [name for name in DIFFERENCES if f"test_{name}" not in tests] == []


def test_the_client_could_not_reach_aws_if_it_tried(moto: Moto) -> None:
    assert moto.client.meta.endpoint_url == ENDPOINT
    credentials = moto.client._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key) == ("nobody", "nothing")
