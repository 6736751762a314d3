"""The schema of a worker's log as data, and a line that has been read.

This is the contract between the worker that writes a log and the verifier that judges it (docs/logs.md).
A line says when something was *logged*; no line says when, between a call's line and its answer's, the
database committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from statemachine.history.foreign import MustBe, as_number, as_whole, brief
from statemachine.lifecycle import FINISHES


class LogPlace(NamedTuple):
    """Where a line stands, as reports cite it: ``file:number``, from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


class LogLine(NamedTuple):
    """A line of a worker's log, read and checked."""

    position: int
    """Its number among all lines that were read, from 1."""
    place: LogPlace
    at: float
    """Seconds from the reader's origin, UTC, as all times among ``fields``."""
    event: str
    worker: str
    fields: Mapping[str, Any]
    """The fields of its :data:`SCHEMA` entry that it names, times in seconds."""

    @property
    def job(self) -> str | None:
        """The job that the line names, if it names one."""
        found: str | None = self.fields.get("job_id")
        return found


class LineKind(NamedTuple):
    """The fields of a line of one event."""

    needs: tuple[str, ...] = ()
    """Fields that it must have."""
    may: tuple[str, ...] = ()
    """Fields that it may leave out or set to null."""


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
"""The fields of each event, by its name.  Fields that are not named here are passed over."""

ROW = LineKind(("job_id", "status", "attempt", "results"), ("tenant_id", "lease_expires_at"))
"""The fields of one of the ``rows`` of ``rows.read``."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _identity(value: Any) -> str:
    """Return an id as text: systems that count their rows have numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("text or a number")
    return str(value)


def _whole(value: Any) -> int:
    try:
        return as_whole(value)
    except MustBe as error:
        raise TypeError(str(error)) from None


def _seconds(value: Any) -> float:
    try:
        return as_number(value)
    except MustBe:
        raise TypeError("a number of seconds") from None


def _finish(value: Any) -> str:
    if not isinstance(value, str) or value not in FINISHES:
        raise TypeError(" or ".join(FINISHES))
    return str(value)


TIMES = frozenset({"lease_expires_at", "visible_until"})
"""Fields that are times, written like ``at``."""

CHECKS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("job_id", "tenant_id", "message_id", "renewed"), _identity),
    **dict.fromkeys(("receipt", "status", "reason", "killed", "moment", "why", "stuck"), _text),
    **dict.fromkeys(("attempt", "receive_count", "results", "max_receives"), _whole),
    **dict.fromkeys(("lease_seconds", "visibility_seconds"), _seconds),
}
"""By field: the check that returns its value, or raises TypeError with what it must be.

Fields without an entry may be anything.
"""


class NotOurs(ValueError):
    """The line belongs to another program; it is counted as foreign."""


class Incomplete(ValueError):
    """A worker's line lacks a field, or has it in another form; the message names the field."""


def read_fields(event: str, values: Mapping[str, Any], moment: Callable[[Any], float]) -> Mapping[str, Any]:
    """Return the checked fields of a line of ``event``; ``moment`` turns a time into seconds.

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
    elif event.startswith("finish.") or (event == "call.raised" and values["operation"] in list(FINISHES)):
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
            check = moment if name in TIMES else CHECKS.get(name)
            read[name] = check(value) if check is not None else value
        except (TypeError, ValueError) as error:
            raise Incomplete(f"{event}: {name} is {brief(value)}, and must be {error}") from None
    return read


def _checked_operation(event: str, value: Any) -> str:
    try:
        return _finish(value)
    except TypeError as error:
        raise Incomplete(f"{event}: operation is {brief(value)}, and must be {error}") from None
