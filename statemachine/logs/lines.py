"""What a line of a worker's log can say: the schema as data, and a line that has been read.

The contract between whoever writes a log and whoever judges it.  A line says when something was
*logged*; when the database committed, between a call's line and its answer's, no line says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from statemachine.lifecycle import FINISHES


class LogPlace(NamedTuple):
    """Where a line stands, as reports cite it: ``file:number``, from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


class LogLine(NamedTuple):
    """A line of ours.  ``at`` and all times among ``fields`` are seconds from the reader's origin, UTC.

    ``position`` is its number among all lines that were read: that of the line itself in a single file.
    """

    position: int
    place: LogPlace
    at: float
    event: str
    worker: str
    fields: Mapping[str, Any]

    @property
    def job(self) -> str | None:
        """The job that the line names, if it names one."""
        found: str | None = self.fields.get("job_id")
        return found


class LineKind(NamedTuple):
    """The fields that a line of one event must have, and those that it may leave out or set to null."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


_JOB = ("job_id", "tenant_id")
_RECEIPT = ("message_id", "receipt")
_TENANT = ("tenant_id",)

SCHEMA: dict[str, LineKind] = {
    "worker.started": LineKind(
        may=("pipeline", "pid", "lease_seconds", "visibility_seconds", "max_receives")
    ),
    "worker.stopping": LineKind(may=("signal",)),
    "worker.stopped": LineKind(),
    "job.created": LineKind(("job_id",), _TENANT),
    "message.sent": LineKind(("message_id", "job_id"), _TENANT),
    "message.received": LineKind(("message_id",), ("receipt", "receive_count", "visible_until", *_JOB)),
    "prepare.called": LineKind(("job_id",), ("message_id", *_TENANT)),
    "prepare.accepted": LineKind(("job_id",), ("attempt", "lease_expires_at", *_TENANT)),
    "prepare.refused": LineKind(("job_id",), ("reason", *_TENANT)),
    "visibility.extended": LineKind(("message_id", "visible_until"), ("receipt",)),
    "finish.called": LineKind(("operation", "job_id"), ("attempt", "result", "status", "error", *_TENANT)),
    "finish.accepted": LineKind(("operation", "job_id"), ("attempt", "status", *_TENANT)),
    "finish.refused": LineKind(("operation", "job_id"), ("attempt", "status", *_TENANT)),
    "call.raised": LineKind(("operation",), ("error", *_JOB)),
    "delete.called": LineKind(("message_id",), ("receipt", "why", *_JOB)),
    "message.deleted": LineKind(("message_id",), ("receipt",)),
    "inference.started": LineKind(may=_JOB),
    "inference.cut": LineKind(may=_JOB),
    "worker.killed": LineKind(("killed",), ("moment",)),
    "message.dead_lettered": LineKind(("message_id",), _JOB),
    "message.redriven": LineKind(("message_id", "renewed")),
    "drain.began": LineKind(),
    "drain.ended": LineKind(may=("stuck",)),
    "rows.read": LineKind(("rows",)),
}
"""Events by name.  Fields that are not named here are passed over."""

ROW = LineKind(("job_id", "status", "attempt", "results"), ("tenant_id", "lease_expires_at"))
"""One of the ``rows`` of ``rows.read``."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _identity(value: Any) -> str:
    """An id is a text, or a number where the system counts its rows; both are read as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("text or a number")
    return str(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a whole number")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number of seconds")
    return value


def _finish(value: Any) -> str:
    if value not in FINISHES:
        raise TypeError(" or ".join(FINISHES))
    return str(value)


TIMES = frozenset({"lease_expires_at", "visible_until"})
"""Fields that are moments, written like ``at``."""

READ: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("job_id", "tenant_id", "message_id", "renewed"), _identity),
    **dict.fromkeys(("receipt", "status", "reason", "killed", "moment", "why", "stuck"), _text),
    **dict.fromkeys(("attempt", "receive_count", "results", "max_receives"), _whole),
    **dict.fromkeys(("lease_seconds", "visibility_seconds"), _seconds),
}
"""What a field's value must be; fields without an entry may be anything."""


class NotOurs(ValueError):
    """A line that is none of a worker's log; it is counted as foreign."""


class Incomplete(ValueError):
    """A line of ours that lacks what it needs, or has it in another form; the message names the field."""


def read_fields(event: str, values: Mapping[str, Any], moment: Callable[[Any], float]) -> Mapping[str, Any]:
    """The fields of a line of ``event``, checked; ``moment`` turns a time into seconds from the origin.

    Raises :class:`NotOurs` for an unknown event, and :class:`Incomplete`.
    """
    kind = SCHEMA.get(event)
    if kind is None:
        raise NotOurs(event)
    read = _checked(event, kind, values, moment)
    if event == "rows.read":
        if not isinstance(read["rows"], list) or not all(isinstance(row, dict) for row in read["rows"]):
            raise Incomplete("rows.read: rows must be a list of objects")
        read["rows"] = [_checked("a row of rows.read", ROW, row, moment) for row in read["rows"]]
    elif event.startswith("finish.") or (event == "call.raised" and values["operation"] in FINISHES):
        read["operation"] = _checked_operation(event, values["operation"])
    return read


def _checked(
    event: str, kind: LineKind, values: Mapping[str, Any], moment: Callable[[Any], float]
) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name in kind.needs:
        if values.get(name) is None:
            raise Incomplete(f"{event} has no {name}")
    for name in (*kind.needs, *kind.may):
        value = values.get(name)
        if value is None:
            continue
        try:
            check = moment if name in TIMES else READ.get(name)
            read[name] = check(value) if check is not None else value
        except (TypeError, ValueError) as error:
            raise Incomplete(f"{event}: {name} is {value!r}, and must be {error}") from None
    return read


def _checked_operation(event: str, value: Any) -> str:
    try:
        return _finish(value)
    except TypeError as error:
        raise Incomplete(f"{event}: operation is {value!r}, and must be {error}") from None
