"""The world's queue and publisher as the system under test sees them.

Every send, delete and visibility change goes through one of these and becomes an event, also inside
a transaction; otherwise the verifier would only test its own worker.  A killed process gets nothing
through: each of them raises :class:`~statemachine.world.faults.Killed` then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from statemachine import history
from statemachine.binding import Delivery, Message
from statemachine.world.faults import Killed
from statemachine.world.queue import SimulatedQueue
from statemachine.world.workers import Slot

if TYPE_CHECKING:
    from statemachine.example import Example


class WorkerQueue:
    """The queue as one worker sees it: what it receives was chosen by the machine."""

    def __init__(self, example: Example, slot: Slot[Delivery], name: str, duplicate: bool) -> None:
        self._example = example
        self._slot = slot
        self._name = name
        self._duplicate = duplicate

    def _alive(self) -> SimulatedQueue:
        if self._example.faults.dead:
            raise Killed
        return self._example.queue

    def send(self, job: str, tenant: str) -> None:
        self._alive().send(self._example.new_message(), job, tenant)

    def receive(self) -> Message | None:
        stored = self._alive().receive(self._name, self._slot.name, self._duplicate)
        if stored is None:
            return None
        self._slot.message, self._slot.job, self._slot.tenant = stored.name, stored.job, stored.tenant
        return Message(stored.receipt, stored.job, stored.tenant)

    def delete(self, receipt_handle: str) -> None:
        self._alive().delete(receipt_handle, self._slot.name, lost=self._example.delete_is_lost())

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        self._alive().change_visibility(receipt_handle, seconds, self._slot.name)


class SystemQueue:
    """The queue as publisher and sweep see it: they send, and receive nothing."""

    def __init__(self, example: Callable[[], Example]) -> None:
        self._example = example

    def send(self, job: str, tenant: str) -> None:
        example = _living(self._example)
        example.queue.send(example.new_message(), job, tenant, example.current_call)

    def receive(self) -> Message | None:
        raise RuntimeError("publisher and sweep do not receive: use the queue that deliver() is given")

    def delete(self, receipt_handle: str) -> None:
        _living(self._example).queue.delete(receipt_handle, "publisher")

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        _living(self._example).queue.change_visibility(receipt_handle, seconds, "publisher")


class HandedOver:
    """The publisher's in-tray: a job that is enqueued here is published by a later step."""

    def __init__(self, example: Callable[[], Example]) -> None:
        self._example = example

    def enqueue(self, job: str, tenant: str) -> None:
        example = _living(self._example)
        example.to_publish[job] = tenant
        example.record(history.PublicationQueued(example.now, example.current_call, job, tenant))


def _living(current: Callable[[], Example]) -> Example:
    example = current()
    if example.faults.dead:
        raise Killed
    return example
