"""Queues that misread AWS, one each: the comparison with moto must catch all of them.

The names say what is wrong.  They differ from the simulated queue in one method only.
"""

from __future__ import annotations

from typing import Any

from statemachine.world.queue import LONGEST_VISIBILITY, SimulatedQueue, StoredMessage, VisibilityBeyondLimit


class HidesTooLong(SimulatedQueue):
    def receive(self, name: str, worker: str, duplicate: bool = False) -> StoredMessage | None:
        if message := super().receive(name, worker, duplicate):
            message.visible_at += 5
        return message


class EdgeExcluded(SimulatedQueue):
    def visible(self) -> list[StoredMessage]:
        return [message for message in super().visible() if message.visible_at < self.now()]


class ReceivesNotCounted(SimulatedQueue):
    def receive(self, name: str, worker: str, duplicate: bool = False) -> StoredMessage | None:
        if message := super().receive(name, worker, duplicate):
            message.receive_count -= 1
        return message


class DeadLettersLate(SimulatedQueue):
    def __init__(self, visibility_seconds: int, max_receives: int, *rest: Any) -> None:
        super().__init__(visibility_seconds, max_receives + 1, *rest)


class RedriveKeepsTheCount(SimulatedQueue):
    def redrive(self, name: str, renewed: str) -> None:
        count = self.dead[name].receive_count
        super().redrive(name, renewed)
        self.messages[renewed].receive_count = count


class NoDelay(SimulatedQueue):
    def send(self, name: str, job: str, tenant: str, *rest: Any, **more: Any) -> None:
        super().send(name, job, tenant, *rest, **more)
        self.messages[name].visible_at = self.now()


class AnyHandleDeletes(SimulatedQueue):
    def delete(self, receipt: str, worker: str, lost: bool = False) -> None:
        self.messages.pop(self.by_receipt[receipt], None)


class AnyHandleChangesTheVisibility(SimulatedQueue):
    def change_visibility(self, receipt: str, seconds: float, worker: str) -> None:
        message = self.messages.get(self.by_receipt[receipt])
        super().change_visibility(message.receipt if message else receipt, seconds, worker)


class TimeoutCountsFromTheReceive(SimulatedQueue):
    def change_visibility(self, receipt: str, seconds: float, worker: str) -> None:
        super().change_visibility(receipt, seconds, worker)
        message = self.messages.get(self.by_receipt[receipt])
        if message and message.receipt == receipt:
            message.visible_at = message.received_at + seconds


class ChangesCutToTheLimit(SimulatedQueue):
    def change_visibility(self, receipt: str, seconds: float, worker: str) -> None:
        super().change_visibility(receipt, min(seconds, LONGEST_VISIBILITY), worker)


class LimitOneSecondShort(SimulatedQueue):
    def receive(self, name: str, worker: str, duplicate: bool = False) -> StoredMessage | None:
        if message := super().receive(name, worker, duplicate):
            message.received_at -= 1
        return message


class LimitOneSecondLong(SimulatedQueue):
    def receive(self, name: str, worker: str, duplicate: bool = False) -> StoredMessage | None:
        if message := super().receive(name, worker, duplicate):
            message.received_at += 1
        return message


class RefusalsChangeTheVisibility(SimulatedQueue):
    def change_visibility(self, receipt: str, seconds: float, worker: str) -> None:
        try:
            super().change_visibility(receipt, seconds, worker)
        except VisibilityBeyondLimit:
            super().change_visibility(receipt, 0, worker)
            raise


WRONG = SimulatedQueue.__subclasses__()
