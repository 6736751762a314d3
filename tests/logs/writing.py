"""Short words for lines of a log: ``called``, ``accepted`` and the like, at seconds of a fixed day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from statemachine.lifecycle import Lifecycle
from statemachine.logs import JudgedLog, LogLine, LogPlace, Reader, judge_lines

START = datetime(2030, 10, 27, 12, 0, tzinfo=UTC)
OURS = Lifecycle()
LEASE, VISIBILITY = OURS.lease_seconds, OURS.visibility_seconds

Values = dict[str, Any]


def moment(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def say(at: float, event: str, worker: str = "A", **fields: Any) -> Values:
    return {"at": moment(at), "event": event, "worker": worker, **fields, "text": event}


def created(at: float = 0, job: str = "j1", tenant: str = "t1") -> Values:
    return say(at, "job.created", "application", job_id=job, tenant_id=tenant)


def sent(at: float = 0, message: str = "m1", job: str = "j1", tenant: str = "t1") -> Values:
    return say(at, "message.sent", "application", message_id=message, job_id=job, tenant_id=tenant)


def received(
    at: float,
    by: str = "A",
    message: str = "m1",
    job: str | None = "j1",
    tenant: str | None = "t1",
    receipt: str = "r1",
) -> Values:
    return say(
        at,
        "message.received",
        by,
        message_id=message,
        receipt=receipt,
        receive_count=1,
        visible_until=moment(at + VISIBILITY),
        job_id=job,
        tenant_id=tenant,
    )


def called(at: float, by: str = "A", job: str = "j1", tenant: str = "t1") -> Values:
    return say(at, "prepare.called", by, job_id=job, tenant_id=tenant, message_id="m1")


def accepted(
    at: float,
    by: str = "A",
    attempt: int = 1,
    since: float | None = None,
    lease: float = LEASE,
    job: str = "j1",
) -> Values:
    """An accepted prepare whose lease was taken at ``since``: at the answer, if not said."""
    until = moment((at if since is None else since) + lease)
    return say(
        at,
        "prepare.accepted",
        by,
        job_id=job,
        tenant_id="t1",
        attempt=attempt,
        lease_expires_at=until,
    )


def refused(
    at: float, by: str = "A", reason: str = "lease live", job: str = "j1", tenant: str = "t1"
) -> Values:
    return say(at, "prepare.refused", by, job_id=job, tenant_id=tenant, reason=reason)


def prepared(at: float, by: str = "A", attempt: int = 1, job: str = "j1") -> list[Values]:
    """An accepted prepare of a tenth of a second, whose lease begins in its middle."""
    return [called(at, by, job), accepted(at + 0.1, by, attempt, since=at + 0.05, job=job)]


def turned_down(at: float, by: str = "B", reason: str = "lease live", job: str = "j1") -> list[Values]:
    return [called(at, by, job), refused(at + 0.1, by, reason, job)]


def finishing(
    at: float, operation: str, by: str = "A", attempt: int = 1, job: str = "j1", result: str | None = None
) -> Values:
    brings = result if result is not None or operation != "complete" else f"by {by}"
    return say(
        at,
        "finish.called",
        by,
        operation=operation,
        job_id=job,
        tenant_id="t1",
        attempt=attempt,
        result=brings,
    )


STATUS = {"complete": OURS.done, "fail": OURS.failed, "release": OURS.retrying}


def finish_told(
    at: float, operation: str, by: str = "A", attempt: int = 1, job: str = "j1", answer: str = "accepted"
) -> Values:
    return say(
        at,
        f"finish.{answer}",
        by,
        operation=operation,
        job_id=job,
        tenant_id="t1",
        attempt=attempt,
        status=STATUS[operation],
    )


def finished(
    at: float, operation: str = "complete", by: str = "A", attempt: int = 1, answer: str = "accepted"
) -> list[Values]:
    """A finish of a tenth of a second."""
    return [
        finishing(at, operation, by, attempt),
        finish_told(at + 0.1, operation, by, attempt, answer=answer),
    ]


def raised(at: float, operation: str, by: str = "A", job: str = "j1") -> Values:
    return say(
        at, "call.raised", by, operation=operation, job_id=job, tenant_id="t1", error="OperationalError: gone"
    )


def deleting(
    at: float,
    by: str = "A",
    message: str = "m1",
    job: str = "j1",
    why: str = "job ended",
    receipt: str = "r1",
) -> Values:
    return say(
        at, "delete.called", by, message_id=message, receipt=receipt, job_id=job, tenant_id="t1", why=why
    )


def killed(at: float, worker: str = "A", moment: str = "RUNNING") -> Values:
    return say(at, "worker.killed", "operator", killed=worker, moment=moment)


def row(status: str, attempt: int, results: int = 0, job: str = "j1", lease: float | None = None) -> Values:
    return {
        "job_id": job,
        "tenant_id": "t1",
        "status": status,
        "attempt": attempt,
        "lease_expires_at": None if lease is None else moment(lease),
        "results": results,
    }


def rows_read(at: float, *rows: Values) -> Values:
    return say(at, "rows.read", "operator", rows=list(rows))


def read(values: Iterable[Values]) -> list[LogLine]:
    """The lines as a reader gives them; one that it passes over fails the test."""
    reader = Reader()
    # Seconds are then those of START, whatever the first line says.
    reader.moment(moment(0))
    lines = [
        reader.line(json.dumps(one), LogPlace("log", number)) for number, one in enumerate(values, start=1)
    ]
    assert None not in lines, reader.skipped
    return [line for line in lines if line is not None]


def judged(*values: Values | list[Values], lifecycle: Lifecycle = OURS) -> JudgedLog:
    """What comes of these lines, in this order."""
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return judge_lines(lifecycle, read(flat))
