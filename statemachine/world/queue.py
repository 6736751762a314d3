"""A simulated SQS standard queue with its DLQ, as AWS documents them.

A received message is hidden until its visibility timeout ends and is visible at that second, a
delayed one likewise; only the receipt handle of its latest receive deletes it or changes its
visibility, while older ones are accepted and do nothing; no change hides it for longer than 12 h after its
latest receive; the receive request after ``max_receives`` receives moves it to the DLQ; a redrive
gives it a new id and a new count.  Duplicates, lost deletes and deleted messages that come back happen
when the machine chooses them.

Not modelled: message retention, the order in which SQS would choose (any visible message can be
received), and the error that AWS documents as possible when the visibility of a message is changed
after it ended.  Here such a change succeeds if the handle is still the latest, and does nothing if
the message is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statemachine.history import events as history
from statemachine.history.events import Event

LONGEST_VISIBILITY = 43_200
"""Seconds after its latest receive for which a message can be hidden: 12 h, as AWS sets it."""

LONGEST_DELAY = 900
"""Seconds for which a sent message can be delayed: 15 minutes, as AWS sets it."""


class QueueRefused(Exception):
    """The queue refused a request that SQS would refuse; nothing changed."""


class VisibilityBeyondLimit(QueueRefused):
    """The queue refused a change of visibility, changed nothing and recorded nothing."""


class DelayBeyondLimit(QueueRefused):
    """The queue refused to send a message, sent nothing and recorded nothing."""


@dataclass(slots=True)
class StoredMessage:
    """A message in the queue or its DLQ; times are in seconds from the example's start."""

    name: str
    job: str
    tenant: str
    visible_at: float
    receipt: str = ""
    """Receipt handle of the latest receive; empty before the first."""
    receive_count: int = 0
    forged: bool = False
    """Whether the verifier sent it, not the system under test."""
    received_at: float = 0
    """When it was received last."""


class SimulatedQueue:
    """The queue and its DLQ, as dicts of messages by name; every change is recorded as an event."""

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

    def send(
        self,
        name: str,
        job: str,
        tenant: str,
        call: int | None = None,
        forged: bool = False,
        delay: float = 0,
    ) -> None:
        """Store a message that becomes visible ``delay`` seconds from now."""
        if not 0 <= delay <= LONGEST_DELAY:
            raise DelayBeyondLimit(
                f"message {name}: DelaySeconds {delay} is not between 0 and {LONGEST_DELAY}; "
                "delay it by less, or send it later"
            )
        self.messages[name] = StoredMessage(name, job, tenant, self.now() + delay, forged=forged)
        self.record(history.Sent(self.now(), name, job, tenant, call, forged, delay))

    def visible(self) -> list[StoredMessage]:
        now = self.now()
        return [message for message in self.messages.values() if message.visible_at <= now]

    def in_flight(self) -> list[StoredMessage]:
        """Return the hidden messages that were received."""
        now = self.now()
        return [message for message in self.messages.values() if message.visible_at > now and message.receipt]

    def delayed(self) -> list[StoredMessage]:
        """Return the hidden messages that were never received, since their delay has not passed."""
        now = self.now()
        return [
            message for message in self.messages.values() if message.visible_at > now and not message.receipt
        ]

    def receive(self, name: str, worker: str, duplicate: bool = False) -> StoredMessage | None:
        """Give the message to ``worker`` under a new receipt handle; None when it went to the DLQ instead."""
        message = self.messages[name]
        if message.receive_count >= self.max_receives:
            self.dead[name] = self.messages.pop(name)
            self.record(history.DeadLettered(self.now(), name))
            return None
        message.receive_count += 1
        message.receipt = f"{name}#{message.receive_count}"
        message.received_at = self.now()
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
        """Delete by receipt handle; with ``lost`` the answer is success and the message stays."""
        name = self.by_receipt[receipt]
        newest = name in self.messages and self.messages[name].receipt == receipt
        effective = newest and not lost
        if effective:
            self.deleted[name] = self.messages.pop(name)
        self.record(history.DeleteRequested(self.now(), name, receipt, worker, effective))

    def change_visibility(self, receipt: str, seconds: float, worker: str) -> None:
        """Make the message visible ``seconds`` from now, if ``receipt`` is its latest.

        Raise :class:`VisibilityBeyondLimit` for a timeout that is negative or over 12 h, whatever the receipt
        handle, and for one that would end more than 12 h after the latest receive.  As AWS documents it, a
        longer timeout is refused and not cut to what is left.
        """
        name = self.by_receipt[receipt]
        effective = name in self.messages and self.messages[name].receipt == receipt
        since = self.messages[name].received_at if effective else self.now()
        _check_visibility(name, seconds, self.now() - since)
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


def _check_visibility(name: str, seconds: float, elapsed: float) -> None:
    """Raise if a timeout of ``seconds``, asked ``elapsed`` seconds after the latest receive, is too long."""
    asked = f"message {name}: VisibilityTimeout {seconds}"
    if not 0 <= seconds <= LONGEST_VISIBILITY:
        raise VisibilityBeyondLimit(
            f"{asked} is not between 0 and {LONGEST_VISIBILITY} s; ask for a timeout of that range"
        )
    left = LONGEST_VISIBILITY - elapsed
    if seconds > left:
        raise VisibilityBeyondLimit(
            f"{asked}, asked for {elapsed} s after its receive, is beyond the limit: it can be hidden for "
            f"{LONGEST_VISIBILITY} s after a receive; "
            + (f"ask for at most {left}" if left >= 0 else "receive it again")
        )
