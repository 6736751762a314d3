"""A simulated SQS standard queue with its DLQ, as AWS documents them.

A received message is hidden until its visibility timeout ends and is visible at that second; only
the receipt handle of its latest receive deletes it or changes its visibility, older ones are accepted
and do nothing; the receive request after ``max_receives`` receives moves it to the DLQ; a redrive
gives it a new id and a new count.  Duplicates, lost deletes and deleted messages that come back happen
when the machine asks for them.  Not modelled: message retention, and the order in which SQS would
choose (any visible message can be received).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statemachine import history
from statemachine.history import Event


@dataclass(slots=True)
class StoredMessage:
    name: str
    job: str
    tenant: str
    visible_at: float
    receipt: str = ""
    receive_count: int = 0
    forged: bool = False


class SimulatedQueue:
    """Messages by name.  ``now`` tells the time in seconds; every change is handed to ``record``."""

    def __init__(
        self,
        visibility_seconds: int,
        max_receives: int,
        now: Callable[[], float],
        record: Callable[[Event], None],
    ) -> None:
        self.visibility_seconds = visibility_seconds
        self.max_receives = max_receives
        self.now = now
        self.record = record
        self.messages: dict[str, StoredMessage] = {}
        self.dead: dict[str, StoredMessage] = {}
        self.deleted: dict[str, StoredMessage] = {}
        self.by_receipt: dict[str, str] = {}

    def send(self, name: str, job: str, tenant: str, call: int | None = None, forged: bool = False) -> None:
        self.messages[name] = StoredMessage(name, job, tenant, self.now(), forged=forged)
        self.record(history.Sent(self.now(), name, job, tenant, call, forged))

    def visible(self) -> list[StoredMessage]:
        now = self.now()
        return [message for message in self.messages.values() if message.visible_at <= now]

    def in_flight(self) -> list[StoredMessage]:
        now = self.now()
        return [message for message in self.messages.values() if message.visible_at > now]

    def receive(self, name: str, worker: str, duplicate: bool = False) -> StoredMessage | None:
        """Hand the message to ``worker`` under a new receipt handle; None when it went to the DLQ instead."""
        message = self.messages[name]
        if message.receive_count >= self.max_receives:
            self.dead[name] = self.messages.pop(name)
            self.record(history.DeadLettered(self.now(), name))
            return None
        message.receive_count += 1
        message.receipt = f"{name}#{message.receive_count}"
        message.visible_at = self.now() + self.visibility_seconds
        self.by_receipt[message.receipt] = name
        self.record(
            history.Delivered(
                self.now(),
                name,
                message.receipt,
                worker,
                message.receive_count,
                message.visible_at,
                duplicate,
            )
        )
        return message

    def delete(self, receipt: str, worker: str, lost: bool = False) -> None:
        """Delete by receipt handle; ``lost`` means that SQS says yes and keeps the message."""
        name = self.by_receipt[receipt]
        newest = name in self.messages and self.messages[name].receipt == receipt
        effective = newest and not lost
        if effective:
            self.deleted[name] = self.messages.pop(name)
        self.record(history.DeleteRequested(self.now(), name, receipt, worker, effective))

    def change_visibility(self, receipt: str, seconds: int, worker: str) -> None:
        """The message becomes visible ``seconds`` from now, if ``receipt`` is its latest."""
        name = self.by_receipt[receipt]
        effective = name in self.messages and self.messages[name].receipt == receipt
        visible_at = self.now() + seconds
        if effective:
            self.messages[name].visible_at = visible_at
        self.record(history.VisibilityChanged(self.now(), name, receipt, worker, visible_at, effective))

    def redrive(self, name: str, renewed: str) -> None:
        old = self.dead.pop(name)
        self.messages[renewed] = StoredMessage(renewed, old.job, old.tenant, self.now(), forged=old.forged)
        self.record(history.Redriven(self.now(), name, renewed))

    def bring_back(self, name: str) -> None:
        message = self.messages[name] = self.deleted.pop(name)
        message.visible_at = self.now()
        self.record(history.MessageCameBack(self.now(), name))
