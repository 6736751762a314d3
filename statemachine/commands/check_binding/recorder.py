"""A stand-in for the binding that passes each call on and records its answer or its error as it was.

The history keeps what an answer meant (accepted, refused).  The author of a binding needs to read what it
*was*: a model instance, None, True.  Rows that the claims could not read are refused here, with a
sentence that says how to write them.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.binding import BindingError, Delivery, ObservedRow, faults_of_delivery
from statemachine.lifecycle import Lifecycle, Operation

_RECORDED_CALLS = {
    "create",
    "publish",
    "recover",
    "mark_running",
    "complete",
    "fail",
    "release",
    "close",
    "renew",
}
_RECORDED_STEPS = {"receive", "prepare", "extend", "renew", "finish", "acknowledge"}
_OUR_PACKAGE = Path(__file__).parents[2]
_SHOWN_ARGUMENTS = 3
"""Job, tenant, attempt; what follows is a result or an error text, of any length."""


class RecordedCall(NamedTuple):
    """One call of a method of the binding or of a delivery."""

    call: str
    """As it is printed: ``complete(j1, t1, 2)``, or ``A.finish(COMPLETE)`` for a step of worker A."""
    answer: object
    """What it returned; None as long as it has not returned."""
    error: Exception | None = None
    """What it raised."""


class RecordingBinding:
    """Has the methods of ``binding`` and records the calls of those that a scene plays."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding
        self._reset_failed = False
        self.named: Callable[[str], str] = str
        """Puts the names of the scene, ``j1``, in place of the ids in a text."""
        self.latest: RecordedCall | None = None
        """The latest call of a method that is recorded."""
        self.rows: dict[str, ObservedRow] = {}
        """What the latest ``observe`` returned, by job."""

    def __getattr__(self, name: str) -> Any:
        if name == "others":
            # With others(), the lane creates bystander jobs before each example.  A scene is about one job.
            raise AttributeError(name)
        piece = getattr(self._binding, name)
        return self._recorded(piece, name) if name in _RECORDED_CALLS else piece

    def _recorded(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if given and isinstance(given[0], Operation):  # finish(operation, payload), without its payload
                shown = given[0].name
            else:
                shown = self.named(", ".join(map(str, given[:_SHOWN_ARGUMENTS])))
            self.latest = RecordedCall(f"{name}({shown})", None)
            try:
                answer = method(*given)
            except Exception as error:
                self.latest = self.latest._replace(error=error)
                raise
            self.latest = self.latest._replace(answer=answer)
            return answer

        return call

    def open(self, queue: Any, publisher: Any) -> None:
        """Raise ``BindingError`` when the binding's own ``open`` raises."""
        _call_or_explain("open(queue, publisher)", lambda: self._binding.open(queue, publisher))

    def deliver(self, worker: str, queue: Any) -> Delivery:
        """Raise ``BindingError`` when the delivery lacks a step or has one that cannot be called."""
        delivery = _call_or_explain(f"deliver({worker}, queue)", lambda: self._binding.deliver(worker, queue))
        for fault in faults_of_delivery(delivery, self._binding.lifecycle):
            raise BindingError(fault)
        return RecordingDelivery(self, worker, delivery)

    def reset(self, jobs: Sequence[str]) -> None:
        """Do nothing while the binding has no ``reset`` yet.  Raise ``BindingError`` once when it raises.

        The lane resets once more when it closes.  A ``reset`` that has raised is not called again there, or
        its second error would hide the first.
        """
        if hasattr(self._binding, "reset") and not self._reset_failed:
            self._reset_failed = True
            _call_or_explain(f"reset({list(jobs)})", lambda: self._binding.reset(jobs))
            self._reset_failed = False

    def observe(self, jobs: Sequence[str]) -> list[ObservedRow]:
        """Raise ``BindingError`` for rows that the claims could not read."""
        call = f"observe({list(jobs)})"
        answer = _call_or_explain(call, lambda: self._binding.observe(jobs))
        if answer is None or isinstance(answer, str):
            raise BindingError(
                f"{call} returned {answer!r}: return a list with an ObservedRow for each job that has a row"
            )
        rows: list[ObservedRow] = _call_or_explain(call, lambda: list(answer))
        for row in rows:
            _check_row(call, row, jobs, self._binding.lifecycle)
        twice = sorted({row.job for row in rows if sum(1 for other in rows if other.job == row.job) > 1})
        if twice:
            raise BindingError(
                f"{call} returned several rows for {', '.join(twice)}: return one for each job; a join with "
                "the results needs GROUP BY, annotate(Count(…))"
            )
        self.rows = {self.named(row.job): row._replace(job=self.named(row.job)) for row in rows}
        return rows


class RecordingDelivery:
    """Has the steps of ``delivery`` and records their calls; ``next_step`` is passed through."""

    def __init__(self, recorder: RecordingBinding, worker: str, delivery: Any) -> None:
        self._recorder = recorder
        self._worker = worker
        self._delivery = delivery

    def __getattr__(self, name: str) -> Any:
        piece = getattr(self._delivery, name)
        if name not in _RECORDED_STEPS:
            return piece
        return self._recorder._recorded(piece, f"{self._worker}.{name}")


def place_of(error: BaseException) -> str:
    """Return `` at FILE:LINE``, the innermost line of the user's own code; empty when there is none."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(_OUR_PACKAGE)
        and not {"site-packages", "dist-packages"} & set(Path(frame.filename).parts)
    ]
    if not frames:
        return ""
    file = Path(frames[-1].filename)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else Path(file.name)
    return f" at {shown.as_posix()}:{frames[-1].lineno}"


def described(error: BaseException) -> str:
    """Return its type, the first line of its message and its place, as one clause."""
    message = str(error).strip().splitlines()
    return f"{type(error).__name__}{': ' + message[0] if message else ''}{place_of(error)}"


def remedy(error: BaseException) -> str:
    """Return what usually mends an error of this kind, as the end of a sentence."""
    if "no such table" in str(error) or "no such column" in str(error):
        return (
            "list the table's app in INSTALLED_APPS of the settings, and complete its migrations: "
            "python manage.py makemigrations --check says whether one is missing"
        )
    if "no column named" in str(error):
        return "a migration is missing: python manage.py makemigrations writes it"
    if "durable atomic block" in str(error) or type(error).__name__ == "TransactionManagementError":
        return "open no transaction around the calls of the binding, and leave none open"
    if isinstance(error, NotImplementedError):
        return "write it"
    return "mend it"


def _call_or_explain(call: str, run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Exception as error:
        raise BindingError(f"{call} raised {described(error)}; {remedy(error)}") from error


def _check_row(call: str, row: Any, jobs: Collection[str], lifecycle: Lifecycle) -> None:
    if not isinstance(row, ObservedRow):
        raise BindingError(
            f"{call} returned {_brief(row)}, a {type(row).__name__}: return ObservedRow(job, tenant, status, "
            "attempt, locked_by, lease_expires_at, published_at, results, result) of statemachine.binding"
        )
    if row.job not in jobs:
        raise BindingError(
            f"{call} returned a row of job {row.job!r}: return only the jobs that observe() is given, by the "
            "names, as text, that create() was given"
        )
    statuses = (lifecycle.pending, lifecycle.retrying, lifecycle.running, *sorted(lifecycle.terminal))
    if row.status not in statuses:
        raise BindingError(
            f"{call} shows {row.job} in status {row.status!r}, and the lifecycle has {', '.join(statuses)}: "
            "translate it in observe(), or name your statuses in Lifecycle(pending=…, running=…)"
        )
    for name, kind, instead in _FIELDS:
        value = getattr(row, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BindingError(f"{call} shows {row.job} with {name} {value!r}: {instead}")


_FIELDS: tuple[tuple[str, Any, str], ...] = (
    ("tenant", str, "give the tenant's name as text, the one that create() was given"),
    ("attempt", int, "give a whole number, 0 before the first lease and one more with each acquisition"),
    ("lease_expires_at", datetime | None, "give a datetime, or None where there is no lease"),
    ("published_at", datetime | None, "give the datetime at which publish() sent it, or None before"),
    ("results", int, "give the number of the job's result rows, 0 for none"),
    ("result", str | None, "give the text that complete() was given, or None where there is no result"),
)
"""Field, its type, and what to return instead of a value of another type."""


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
