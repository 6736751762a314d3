"""What lines say of messages: whose each is, and the events that follow.

A message that was sent before the log begins, or by someone who does not log, is *placed* in the queue
when its first line comes.  Which messages the queue still holds no line says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from statemachine.history.events import (
    DeadLettered,
    DeleteRequested,
    Delivered,
    Event,
    MessagePlaced,
    Redriven,
    Sent,
    VisibilityChanged,
)
from statemachine.lifecycle import Lifecycle
from statemachine.logs.lines import LogLine

REMEMBERED = 10_000
"""So many deleted messages are remembered: a sender may be slower to log than whoever received and deleted,
and what a request did not delete is received again, or turns up in the DLQ."""


class Messages:
    """The messages that are not known to be gone, each with its job and its tenant."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._known: dict[str, tuple[str, str]] = {}
        self._gone: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._folds: dict[str, Callable[[LogLine], list[Event]]] = {
            "message.sent": self._sent,
            "message.received": self._received,
            "visibility.extended": self._extended,
            "delete.called": self._deleting,
            "message.dead_lettered": self._dead_lettered,
            "message.redriven": self._redriven,
        }

    def about(self, line: LogLine) -> tuple[str, str]:
        """Job and tenant of the line's message; of one whose body nobody can read, both are empty."""
        name = line.fields["message_id"]
        known = self._known.get(name) or self._gone.get(name)
        return known or (line.fields.get("job_id", ""), line.fields.get("tenant_id", ""))

    def events(self, line: LogLine) -> tuple[str, list[Event]]:
        """The job that a line about a message is about, and what it says; nothing for other lines."""
        fold = self._folds.get(line.event)
        if fold is None:
            return "", []
        return self.about(line)[0], fold(line)

    def _found(self, line: LogLine) -> list[Event]:
        """What must be told first of a message of which no line has told."""
        name = line.fields["message_id"]
        if name in self._known:
            return []
        self._known[name] = job, tenant = self.about(line)
        return [MessagePlaced(line.at, name, job, tenant, "queue")]

    def _sent(self, line: LogLine) -> list[Event]:
        name = line.fields["message_id"]
        if name in self._known or name in self._gone:
            return []
        self._known[name] = job, tenant = self.about(line)
        return [Sent(line.at, name, job, tenant)]

    def _received(self, line: LogLine) -> list[Event]:
        fields = line.fields
        hidden = round(line.at + self._lifecycle.visibility_seconds, 6)
        return [
            *self._found(line),
            Delivered(
                line.at,
                fields["message_id"],
                fields.get("receipt", ""),
                line.worker,
                fields.get("receive_count", 0),
                fields.get("visible_until", hidden),
            ),
        ]

    def _extended(self, line: LogLine) -> list[Event]:
        name, receipt = line.fields["message_id"], line.fields.get("receipt", "")
        if name not in self._known:
            return []
        return [VisibilityChanged(line.at, name, receipt, line.worker, line.fields["visible_until"])]

    def _deleting(self, line: LogLine) -> list[Event]:
        name, receipt = line.fields["message_id"], line.fields.get("receipt", "")
        found = self._found(line)
        self._gone[name] = self._known.pop(name)
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        # Whether the queue obeyed no line tells: if it did not, somebody receives the message again.
        return [*found, DeleteRequested(line.at, name, receipt, line.worker)]

    def _dead_lettered(self, line: LogLine) -> list[Event]:
        return [*self._found(line), DeadLettered(line.at, line.fields["message_id"])]

    def _redriven(self, line: LogLine) -> list[Event]:
        name, renewed = line.fields["message_id"], line.fields["renewed"]
        if name not in self._known:
            return []
        job, tenant = self._known.pop(name)
        if renewed in self._known or renewed in self._gone:
            return [MessagePlaced(line.at, name, job, tenant, "redriven")]
        self._known[renewed] = job, tenant
        return [Redriven(line.at, name, renewed)]
