"""The timeline itself: a table with time running down, a column for each who acts, a bar for each who holds.

A long history is cut into tables of the same columns, its middle folded away: a table cannot be folded in
parts, and a page of 5,000 rows in one table opens slowly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from statemachine.history.words import counted, exact
from statemachine.lifecycle import JobRow
from statemachine.report.timeline.bars import Bar, Stroke
from statemachine.report.timeline.marks import mark
from statemachine.report.timeline.markup import Markup, joined, tag
from statemachine.report.timeline.moments import MEANINGS, Moment, Said
from statemachine.world.workers import WORKERS

_HEAD, _TAIL, _FOLD = 20, 40, 200
"""Moments that stay open at either end of a long history, and those that one fold holds."""


_HEARD: Mapping[str, Mapping[Stroke, str]] = {
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
"""What a bar that changes says to who cannot see it."""


class _Columns(NamedTuple):
    """Workers and leases have a rail each: a column, or on a narrow page a line beside the text."""

    workers: tuple[str, ...]
    leases: range

    @property
    def rails(self) -> int:
        return len(self.workers) + len(self.leases)


def timeline(told: Sequence[Moment]) -> Markup:
    """The moments as tables, one if they are few."""
    columns = _columns(told)
    rails = "".join(f".rail{rail}>.bar{{grid-column:{rail + 2}}}" for rail in range(columns.rails))
    parts = [tag("style", Markup(f"@media (max-width:760px){{{rails}}}"))]
    for chunk, folded in _chunks(told):
        table = _table(chunk, columns)
        if folded:
            is_open = "" if any(moment.failing for moment in chunk) else None
            table = tag("details", tag("summary", _told_by(chunk)), table, open=is_open)
        parts.append(table)
    return joined(*parts)


def _columns(told: Iterable[Moment]) -> _Columns:
    seen: dict[str, None] = {}
    lanes = 0
    for moment in told:
        seen |= dict.fromkeys((*moment.workers, *moment.worker_bars))
        lanes = max([lanes, *(lane + 1 for lane in moment.lease_bars)])
    known = [worker for worker in WORKERS if worker in seen]
    return _Columns((*known, *(worker for worker in seen if worker not in WORKERS)), range(lanes))


def _chunks(told: Sequence[Moment]) -> Iterator[tuple[Sequence[Moment], bool]]:
    """The parts, each with whether it is folded."""
    if len(told) <= _HEAD + _TAIL + _FOLD // 4:
        yield told, False
        return
    end = len(told) - _TAIL
    yield told[:_HEAD], False
    for start in range(_HEAD, end, _FOLD):
        yield told[start : min(start + _FOLD, end)], True
    yield told[end:], False


def _told_by(chunk: Sequence[Moment]) -> str:
    """What a fold holds: ``Steps 21-220, 0 s to 7200 s: takeover 3, killed 1``."""
    steps = [moment.step for moment in chunk if moment.step]
    where = f"Steps {steps[0]}-{steps[-1]}" if steps else "Between steps"
    until = chunk[-1].quiet.until if chunk[-1].quiet is not None else chunk[-1].at
    counts = Counter(one for moment in chunk for one in moment.marks)
    met = ", ".join(f"{word} {counts[one]}" for one, (word, _) in MEANINGS.items() if counts[one])
    return f"{where}, {exact(chunk[0].at)} s to {exact(until)} s{': ' if met else ''}{met}"


def _table(chunk: Sequence[Moment], columns: _Columns) -> Markup:
    return tag(
        "table",
        tag("caption", "Steps, with time running down", class_="unseen"),
        tag("thead", _head(columns)),
        tag("tbody", *(_row(moment, columns) for moment in chunk)),
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
        tag("th", "lease" if not lane else "", scope="col", class_=f"lease rail{first + lane}")
        for lane in columns.leases
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


def _row(moment: Moment, columns: _Columns) -> Markup:
    if moment.banner:
        whole = str(5 + columns.rails)
        return tag("tr", tag("td", moment.banner, colspan=whole), class_="banner")
    number = str(moment.step)
    classes = [
        name
        for name, applies in (
            ("failing", moment.failing),
            ("drain", moment.drain),
            ("quiet", moment.quiet is not None),
        )
        if applies
    ]
    shown = tag("a", number, href=f"#step-{number}")
    if moment.failing:
        shown = joined(tag("span", "✗ ", aria_hidden="true"), tag("span", "fails: ", class_="unseen"), shown)
    return tag(
        "tr",
        tag("th", shown, scope="row", class_="step"),
        tag("td", _time(moment), class_="time"),
        *_events(moment),
        *(_worker(moment, worker, rail) for rail, worker in enumerate(columns.workers)),
        *(_lease(moment, lane, len(columns.workers) + lane) for lane in columns.leases),
        tag("td", _rows(moment), class_="job"),
        id=f"step-{number}",
        class_=" ".join(classes) or None,
    )


def _time(moment: Moment) -> str:
    if moment.quiet is None:
        return exact(moment.at)
    return f"{exact(moment.quiet.since)} → {exact(moment.quiet.until)}"


def _events(moment: Moment) -> Iterator[Markup]:
    """What the application did and what became of messages, or the quiet time, high by its magnitude."""
    quiet = moment.quiet
    if quiet is None:
        yield tag("td", _cell(moment.application))
        yield tag("td", _cell(moment.queue))
        return
    seconds = quiet.until - quiet.since
    passes = f"{exact(seconds)} s pass{': ' if quiet.place else ''}{quiet.place}"
    # Several deadlines fall together often, and the same one is told once.
    passed = [tag("li", f"at {exact(at)} {what}") for at, what in quiet.passed]
    height = min(5, int(math.log10(max(seconds, 1))) + 1)
    inside = (tag("b", passes), tag("ul", *passed) if passed else None, _cell(moment.queue) or None)
    yield tag("td", tag("div", *inside, class_=f"said long{height}"), colspan="2")


def _worker(moment: Moment, worker: str, rail: int) -> Markup:
    said = moment.workers.get(worker)
    who = tag("b", f"{worker} ", class_="who") if said else None
    return tag(
        "td",
        _bar(moment.worker_bars.get(worker), "work"),
        _bar(moment.flight_bars.get(worker), "flight"),
        _cell(said, who) if said else None,
        class_=f"rail{rail}",
    )


def _lease(moment: Moment, lane: int, rail: int) -> Markup:
    bar = moment.lease_bars.get(lane)
    name = tag("small", bar.job) if bar is not None and bar.job else None
    return tag("td", _bar(bar, "lease"), name, class_=f"rail{rail}")


def _bar(bar: Bar | None, kind: str) -> Markup | None:
    if bar is None or bar.before is bar.after is Stroke.NONE:
        return None
    turns = bar.anew or bar.before is not bar.after
    return tag(
        "i",
        class_=f"bar {kind} over-{bar.before} then-{bar.after}{' anew' if bar.anew else ''}",
        style=None if bar.turn == 0.5 else f"--turn:{bar.turn * 100:.4g}%",
        role="img" if turns else None,
        aria_label=_HEARD[kind][bar.after] if turns else None,
    )


def _cell(said: Iterable[Said], who: Markup | None = None) -> Markup:
    lines = [
        tag("div", who, *(mark(one) for one in dict.fromkeys(line.marks)), line.text, class_="said")
        for line in said
    ]
    return joined(*lines)


def _rows(moment: Moment) -> Markup:
    lines = [_job(row, moment.declared.get(row.job)) for row in moment.rows]
    lines += [tag("div", tag("b", job), " has no row any more", class_="said") for job in moment.gone]
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
