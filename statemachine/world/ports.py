"""The world's queue and publisher as the system under test sees them.

Every send, delete and visibility change goes through one of these and becomes an event, also inside a
transaction; otherwise the verifier would only test its own worker.  The caller can be killed right before
and right after each call on them, and a call of a killed process does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from statemachine.binding import Delivery, Message
from statemachine.history import events as history
from statemachine.world.faults import Fault, FaultPlace
from statemachine.world.queue import QueueRefused
from statemachine.world.workers import Slot

if TYPE_CHECKING:
    from statemachine.world.example import Example

T = TypeVar("T")

DELAY_SECONDS = 900
"""How long a delayed message is held back: the longest ``DelaySeconds`` that SQS allows."""


def _through(example: Example, port: str, action: Callable[[], T]) -> T:
    """Make a call on the world, unless the caller dies right before it; it may die right after."""
    # Look now at what the call has written in autocommit: the history must show the write before the send.
    example.catch_up()
    example.faults.calls.pass_by(FaultPlace.BEFORE_PORT_CALL, port)
    try:
        result = action()
    except QueueRefused:
        example.struck("refused_by_the_queue")
        raise
    example.faults.calls.pass_by(FaultPlace.AFTER_PORT_CALL, port)
    return result


def _send(example: Example, job: str, tenant: str) -> None:
    delay = DELAY_SECONDS if example.faults.calls.planned(Fault.SEND_DELAYED) else 0
    name, call = example.new_message(), example.current_call
    job = example.ids.named(job)
    _through(example, "send", lambda: example.queue.send(name, job, tenant, call, delay=delay))


class WorkerQueue:
    """The queue as one worker sees it: the machine has chosen which message it receives."""

    def __init__(self, example: Example, slot: Slot[Delivery], name: str, duplicate: bool) -> None:
        self._example = example
        self._slot = slot
        self._name = name
        self._duplicate = duplicate
        self._received = False

    def send(self, job: str, tenant: str) -> None:
        _send(self._example, job, tenant)

    def receive(self) -> Message | None:
        """Return the message that the machine has chosen, or None if it went to the DLQ instead.

        A second receive of the same delivery finds nothing, as a receive by short polling may (Amazon SQS
        Developer Guide, "Amazon SQS short and long polling"): while a message is hidden it is handed out
        again only where the machine chooses a duplicate.
        """
        return _through(self._example, "receive", self._receive)

    def _receive(self) -> Message | None:
        if self._received:
            return None
        self._received = True
        stored = self._example.queue.receive(self._name, self._slot.name, self._duplicate)
        if stored is None:
            return None
        self._slot.message, self._slot.job, self._slot.tenant = stored.name, stored.job, stored.tenant
        ids = self._example.ids
        return Message(ids.of(stored.receipt), ids.of(stored.job) or None, stored.tenant or None)

    def delete(self, receipt_handle: str) -> None:
        lost = self._example.faults.calls.planned(Fault.DELETE_LOST)
        delete, receipt = self._example.queue.delete, self._example.ids.named(receipt_handle)
        _through(self._example, "delete", lambda: delete(receipt, self._slot.name, lost=lost))

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        change, receipt = self._example.queue.change_visibility, self._example.ids.named(receipt_handle)
        _through(self._example, "change_visibility", lambda: change(receipt, seconds, self._slot.name))


class SystemQueue:
    """The queue as publisher and sweep see it: they send and never receive."""

    def __init__(self, example: Callable[[], Example]) -> None:
        self._example = example

    def send(self, job: str, tenant: str) -> None:
        _send(self._example(), job, tenant)

    def receive(self) -> Message | None:
        raise RuntimeError("publisher and sweep do not receive: use the queue that deliver() is given")

    def delete(self, receipt_handle: str) -> None:
        example = self._example()
        receipt = example.ids.named(receipt_handle)
        _through(example, "delete", lambda: example.queue.delete(receipt, "publisher"))

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        change, example = self._example().queue.change_visibility, self._example()
        receipt = example.ids.named(receipt_handle)
        _through(example, "change_visibility", lambda: change(receipt, seconds, "publisher"))


class HandedOver:
    """The publisher's input: a job that is enqueued here is published by a later step."""

    def __init__(self, example: Callable[[], Example]) -> None:
        self._example = example

    def enqueue(self, job: str, tenant: str) -> None:
        example = self._example()
        name = example.ids.named(job)

        def take() -> None:
            example.to_publish[name] = tenant
            example.record(history.PublicationQueued(example.now, example.current_call, name, tenant))

        _through(example, "enqueue", take)
