"""A binding under watch: the same calls, but what it gave back or raised is remembered as it was.

The history keeps what an answer meant (accepted, refused); whoever writes a binding needs to hear what
it *was*: a model instance, None, True.  Rows that cannot be read are refused here with a sentence of
their own, before anybody judges them.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.binding import BindingError, Delivery, ObservedRow, faults_of_delivery
from statemachine.lifecycle import Lifecycle, Operation

_CALLED = {"create", "publish", "recover", "mark_running", "complete", "fail", "release", "close", "renew"}
_STEPS = {"receive", "prepare", "extend", "renew", "finish", "acknowledge"}
_OURS = Path(__file__).parents[2]
_SHOWN = 3
"""A call is shown with its first arguments: job, tenant, attempt."""


class Heard(NamedTuple):
    """One call on the binding in words, and what came of it: an answer, or else the error."""

    call: str
    answer: object
    error: Exception | None = None


class Watched:
    """Stands in for ``binding``.  ``heard`` is the latest call, ``rows`` what observe showed last, by job.

    ``others`` is kept back, so that no example begins with jobs of its own; ``reset`` may be missing.
    """

    def __init__(self, binding: Any) -> None:
        self._binding = binding
        self._reset_failed = False
        self.heard: Heard | None = None
        self.rows: dict[str, ObservedRow] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "others":
            raise AttributeError(name)
        piece = getattr(self._binding, name)
        return self._listening(piece, name) if name in _CALLED else piece

    def _listening(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if given and isinstance(given[0], Operation):  # a finish: its payload is not worth the room
                shown = given[0].name
            else:
                shown = ", ".join(map(str, given[:_SHOWN]))
            self.heard = Heard(f"{name}({shown})", None)
            try:
                answer = method(*given)
            except Exception as error:
                self.heard = self.heard._replace(error=error)
                raise
            self.heard = self.heard._replace(answer=answer)
            return answer

        return call

    def open(self, queue: Any, publisher: Any) -> None:
        _or_say("open(queue, publisher)", lambda: self._binding.open(queue, publisher))

    def deliver(self, worker: str, queue: Any) -> Delivery:
        delivery = _or_say(f"deliver({worker}, queue)", lambda: self._binding.deliver(worker, queue))
        for fault in faults_of_delivery(delivery, self._binding.lifecycle):
            raise BindingError(fault)
        return WatchedDelivery(self, worker, delivery)

    def reset(self, jobs: Sequence[str]) -> None:
        """Also where the binding has none yet; one that has failed is not asked again."""
        if hasattr(self._binding, "reset") and not self._reset_failed:
            self._reset_failed = True
            _or_say(f"reset({list(jobs)})", lambda: self._binding.reset(jobs))
            self._reset_failed = False

    def observe(self, jobs: Sequence[str]) -> list[ObservedRow]:
        call = f"observe({list(jobs)})"
        answer = _or_say(call, lambda: self._binding.observe(jobs))
        if answer is None or isinstance(answer, str):
            raise BindingError(
                f"{call} returned {answer!r}: return a list with an ObservedRow for each job that has a row"
            )
        rows: list[ObservedRow] = _or_say(call, lambda: list(answer))
        for row in rows:
            _check_row(call, row, jobs, self._binding.lifecycle)
        twice = sorted({row.job for row in rows if sum(1 for other in rows if other.job == row.job) > 1})
        if twice:
            raise BindingError(
                f"{call} gave several rows for {', '.join(twice)}: give one for each job; a join with the "
                "results needs GROUP BY, annotate(Count(…))"
            )
        self.rows = {row.job: row for row in rows}
        return rows


class WatchedDelivery:
    """A delivery procedure whose steps are listened to; ``next_step`` is its own."""

    def __init__(self, watched: Watched, worker: str, delivery: Any) -> None:
        self._watched = watched
        self._worker = worker
        self._delivery = delivery

    def __getattr__(self, name: str) -> Any:
        piece = getattr(self._delivery, name)
        if name not in _STEPS:
            return piece
        return self._watched._listening(piece, f"{self._worker}.{name}")


def place_of(error: BaseException) -> str:
    """Where in foreign code ``error`` was raised, as `` at FILE:LINE``; empty when that cannot be told."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(_OURS)
        and not {"site-packages", "dist-packages"} & set(Path(frame.filename).parts)
    ]
    if not frames:
        return ""
    file = Path(frames[-1].filename)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else Path(file.name)
    return f" at {shown.as_posix()}:{frames[-1].lineno}"


def told(error: BaseException) -> str:
    """An error as a clause: its kind, its first line, its place."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}{': ' + said[0] if said else ''}{place_of(error)}"


def way_out(error: BaseException) -> str:
    """What usually mends an error of this kind, as the end of a sentence."""
    if "no such table" in str(error) or "no such column" in str(error):
        return (
            "the settings must list the table's app in INSTALLED_APPS, and its migrations must be complete: "
            "python manage.py makemigrations --check says whether they are"
        )
    if "no column named" in str(error):
        return "a migration is missing: python manage.py makemigrations --check says which"
    if "durable atomic block" in str(error) or type(error).__name__ == "TransactionManagementError":
        return "open no transaction around the calls of the binding, and leave none open"
    if isinstance(error, NotImplementedError):
        return "write it"
    return "mend it"


def _or_say(call: str, run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Exception as error:
        raise BindingError(f"{call} raised {told(error)}; {way_out(error)}") from error


def _check_row(call: str, row: Any, jobs: Collection[str], lifecycle: Lifecycle) -> None:
    if not isinstance(row, ObservedRow):
        raise BindingError(
            f"{call} gave {_brief(row)}, a {type(row).__name__}: give ObservedRow(job, tenant, status, "
            "attempt, locked_by, lease_expires_at, published_at, results, result) of statemachine.binding"
        )
    if row.job not in jobs:
        raise BindingError(
            f"{call} gave a row of job {row.job!r}: give only the jobs that were asked for, by the names, as "
            "text, under which create() was told of them"
        )
    statuses = (lifecycle.pending, lifecycle.retrying, lifecycle.running, *sorted(lifecycle.terminal))
    if row.status not in statuses:
        raise BindingError(
            f"{call} shows {row.job} in status {row.status!r}, and the lifecycle has {', '.join(statuses)}: "
            "translate it in observe(), or name yours in the lifecycle, Lifecycle(pending=…, running=…)"
        )
    for name, kind, instead in _FIELDS:
        value = getattr(row, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BindingError(f"{call} shows {row.job} with {name} {value!r}: {instead}")


_FIELDS: tuple[tuple[str, Any, str], ...] = (
    ("tenant", str, "give the tenant's name as text, as create() was told it"),
    ("attempt", int, "give a whole number, 0 before the first lease and one more with each acquisition"),
    ("lease_expires_at", datetime | None, "give a datetime, or None where there is no lease"),
    ("published_at", datetime | None, "give the datetime at which publish() sent it, or None before"),
    ("results", int, "give the number of the job's result rows, 0 for none"),
    ("result", str | None, "give the text that complete() was given, or None where there is no result"),
)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
