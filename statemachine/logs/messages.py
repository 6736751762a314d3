"""Turn lines about messages into events, and remember whose each message is.

A message that was sent before the log begins, or by a program that does not log, is *placed* in the queue
when its first line comes.  No line says which messages the queue still holds.
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
"""Deleted messages that are remembered.

A sender may log its message after a worker has received and deleted it, and a message that the queue did
not delete is received again, or turns up in the DLQ.
"""


class Messages:
    """The messages that a log names, each with its job and its tenant."""

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
        """Return job and tenant of the line's message; both are empty when its body cannot be read."""
        name = line.fields["message_id"]
        known = self._known.get(name) or self._gone.get(name)
        return known or (line.fields.get("job_id", ""), line.fields.get("tenant_id", ""))

    def events(self, line: LogLine) -> tuple[str, list[Event]]:
        """Return the job of a line about a message, and its events; an empty job and list for other lines."""
        fold = self._folds.get(line.event)
        if fold is None:
            return "", []
        return self.about(line)[0], fold(line)

    def _found(self, line: LogLine) -> list[Event]:
        """Return the event that must come first of a message that no line has named."""
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
        # No line says whether the queue obeyed; if it did not, a worker receives the message again.
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
