"""The timeline itself: a table with time running down, a column for each actor, a bar for each lease.

A long history is cut into tables of the same columns, its middle folded away: HTML cannot fold a part of a
table, and a page of 5,000 rows in one table opens slowly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from statemachine.history.words import counted, exact
from statemachine.lifecycle import JobRow
from statemachine.report.timeline.bars import Bar, Stroke
from statemachine.report.timeline.marks import MEANINGS, mark
from statemachine.report.timeline.markup import Markup, joined, tag
from statemachine.report.timeline.steps import CellText, TimelineStep
from statemachine.world.workers import WORKERS

_HEAD, _TAIL, _FOLD = 20, 40, 200
"""Steps that stay open at either end of a long history, and those that one fold holds."""

_LABELS: Mapping[str, Mapping[Stroke, str]] = {
    "work": {
        Stroke.NONE: "works no longer",
        Stroke.THIN: "has the message",
        Stroke.FULL: "owns the job",
        Stroke.BROKEN: "works on without owning the job",
    },
    "flight": {
        Stroke.NONE: "its operation has ended",
        Stroke.THIN: "its operation is in flight",
        Stroke.FULL: "its transaction is open",
        Stroke.DOTTED: "it waits for a lock",
    },
    "lease": {Stroke.NONE: "no lease", Stroke.FULL: "leased", Stroke.DOTTED: "lease expired"},
}
"""What a screen reader says of a bar that changes, by the kind of bar and its new stroke."""


class _Columns(NamedTuple):
    """Each worker and each lease track has a rail: a column, or on a narrow page a line beside the text."""

    workers: tuple[str, ...]
    tracks: range

    @property
    def rails(self) -> int:
        return len(self.workers) + len(self.tracks)


def timeline(steps: Sequence[TimelineStep]) -> Markup:
    """Return the steps as tables, one if they are few."""
    columns = _columns(steps)
    rails = "".join(f".rail{rail}>.bar{{grid-column:{rail + 2}}}" for rail in range(columns.rails))
    parts = [tag("style", Markup(f"@media (max-width:760px){{{rails}}}"))]
    for chunk, folded in _chunks(steps):
        table = _table(chunk, columns)
        if folded:
            is_open = "" if any(step.failing for step in chunk) else None
            table = tag("details", tag("summary", _fold_title(chunk)), table, open=is_open)
        parts.append(table)
    return joined(*parts)


def _columns(steps: Iterable[TimelineStep]) -> _Columns:
    seen: dict[str, None] = {}
    tracks = 0
    for step in steps:
        seen |= dict.fromkeys((*step.workers, *step.worker_bars))
        tracks = max([tracks, *(track + 1 for track in step.lease_bars)])
    known = [worker for worker in WORKERS if worker in seen]
    return _Columns((*known, *(worker for worker in seen if worker not in WORKERS)), range(tracks))


def _chunks(steps: Sequence[TimelineStep]) -> Iterator[tuple[Sequence[TimelineStep], bool]]:
    """Yield the parts, each with whether it is folded."""
    if len(steps) <= _HEAD + _TAIL + _FOLD // 4:  # a fold of fewer steps is not worth a click
        yield steps, False
        return
    end = len(steps) - _TAIL
    yield steps[:_HEAD], False
    for start in range(_HEAD, end, _FOLD):
        yield steps[start : min(start + _FOLD, end)], True
    yield steps[end:], False


def _fold_title(chunk: Sequence[TimelineStep]) -> str:
    """The title of a fold: ``Steps 21-220, 0 s to 7200 s: takeover 3, killed 1``."""
    numbers = [step.step for step in chunk if step.step]
    where = f"Steps {numbers[0]}-{numbers[-1]}" if numbers else "Between steps"
    last = chunk[-1]
    until = last.time_passed.until if last.time_passed is not None else last.at
    counts = Counter(one for step in chunk for one in step.marks)
    met = ", ".join(f"{word} {counts[one]}" for one, (word, _) in MEANINGS.items() if counts[one])
    return f"{where}, {exact(chunk[0].at)} s to {exact(until)} s{': ' if met else ''}{met}"


def _table(chunk: Sequence[TimelineStep], columns: _Columns) -> Markup:
    return tag(
        "table",
        tag("caption", "Steps, with time running down", class_="unseen"),
        tag("thead", _head(columns)),
        tag("tbody", *(_row(step, columns) for step in chunk)),
        class_="timeline",
        style=f"--rails:{columns.rails}",
    )


def _head(columns: _Columns) -> Markup:
    workers = (
        tag("th", tag("span", "worker ", class_="wide"), worker, scope="col", class_=f"worker rail{rail}")
        for rail, worker in enumerate(columns.workers)
    )
    first = len(columns.workers)
    leases = (
        tag("th", "lease" if not track else "", scope="col", class_=f"lease rail{first + track}")
        for track in columns.tracks
    )
    return tag(
        "tr",
        tag("th", "step", scope="col", class_="step"),
        tag("th", "t (s)", scope="col", class_="time"),
        tag("th", "application", scope="col", class_="application"),
        tag("th", "queue", scope="col", class_="queue"),
        *workers,
        *leases,
        tag("th", "job row after the step", scope="col", class_="job"),
    )


def _row(step: TimelineStep, columns: _Columns) -> Markup:
    if step.banner:
        whole = str(5 + columns.rails)
        return tag("tr", tag("td", step.banner, colspan=whole), class_="banner")
    number = str(step.step)
    classes = [
        name
        for name, applies in (
            ("failing", step.failing),
            ("drain", step.drain),
            ("quiet", step.time_passed is not None),
        )
        if applies
    ]
    shown = tag("a", number, href=f"#step-{number}")
    if step.failing:
        shown = joined(tag("span", "✗ ", aria_hidden="true"), tag("span", "fails: ", class_="unseen"), shown)
    return tag(
        "tr",
        tag("th", shown, scope="row", class_="step"),
        tag("td", _time(step), class_="time"),
        *_events(step),
        *(_worker(step, worker, rail) for rail, worker in enumerate(columns.workers)),
        *(_lease(step, track, len(columns.workers) + track) for track in columns.tracks),
        tag("td", _rows(step), class_="job"),
        id=f"step-{number}",
        class_=" ".join(classes) or None,
    )


def _time(step: TimelineStep) -> str:
    if step.time_passed is None:
        return exact(step.at)
    return f"{exact(step.time_passed.since)} → {exact(step.time_passed.until)}"


def _events(step: TimelineStep) -> Iterator[Markup]:
    """The cells of application and queue, or one across both: time that passes, high by its magnitude."""
    passed = step.time_passed
    if passed is None:
        yield tag("td", _cell(step.application))
        yield tag("td", _cell(step.queue))
        return
    seconds = passed.until - passed.since
    title = f"{exact(seconds)} s pass{': ' if passed.destination else ''}{passed.destination}"
    deadlines = [tag("li", f"at {exact(at)} {what}") for at, what in passed.passed]
    # A lease takes thousands of times as long as a retry: the height grows with the number of digits.
    height = min(5, int(math.log10(max(seconds, 1))) + 1)
    inside = (tag("b", title), tag("ul", *deadlines) if deadlines else None, _cell(step.queue) or None)
    yield tag("td", tag("div", *inside, class_=f"said long{height}"), colspan="2")


def _worker(step: TimelineStep, worker: str, rail: int) -> Markup:
    lines = step.workers.get(worker)
    who = tag("b", f"{worker} ", class_="who") if lines else None
    return tag(
        "td",
        _bar(step.worker_bars.get(worker), "work"),
        _bar(step.flight_bars.get(worker), "flight"),
        _cell(lines, who) if lines else None,
        class_=f"rail{rail}",
    )


def _lease(step: TimelineStep, track: int, rail: int) -> Markup:
    bar = step.lease_bars.get(track)
    name = tag("small", bar.job) if bar is not None and bar.job else None
    return tag("td", _bar(bar, "lease"), name, class_=f"rail{rail}")


def _bar(bar: Bar | None, kind: str) -> Markup | None:
    if bar is None or bar.before is bar.after is Stroke.NONE:
        return None
    changes = bar.anew or bar.before is not bar.after
    return tag(
        "i",
        class_=f"bar {kind} over-{bar.before} then-{bar.after}{' anew' if bar.anew else ''}",
        style=None if bar.changes_at == 0.5 else f"--changes-at:{bar.changes_at * 100:.4g}%",
        role="img" if changes else None,
        aria_label=_LABELS[kind][bar.after] if changes else None,
    )


def _cell(lines: Iterable[CellText], who: Markup | None = None) -> Markup:
    shown = [
        tag("div", who, *(mark(one) for one in dict.fromkeys(line.marks)), line.text, class_="said")
        for line in lines
    ]
    return joined(*shown)


def _rows(step: TimelineStep) -> Markup:
    lines = [_job(row, step.declared.get(row.job)) for row in step.rows]
    lines += [tag("div", tag("b", job), " has no row any more", class_="said") for job in step.gone]
    return joined(*lines)


def _job(row: JobRow, declared: float | None) -> Markup:
    details = [f"attempt {row.attempt}"] if row.attempt else []
    if row.lease_expires_at is not None:
        details.append(f"lease until {exact(row.lease_expires_at)}")
    if declared is not None:
        details.append(f"declared: until {exact(declared)}")
    if row.published_at is not None and not row.attempt:
        details.append(f"published at {exact(row.published_at)}")
    if row.results:
        details.append(counted(row.results, "result"))
    name = tag("span", row.job, class_="name")
    return tag("div", name, " ", tag("b", row.status), f" {', '.join(details)}".rstrip(), class_="said")
