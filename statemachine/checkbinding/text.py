"""How the walk is told: a line a step, in columns, and a fault as a sentence below its line."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from statemachine import history
from statemachine.checkbinding.scenes import WITHOUT_CALL
from statemachine.checkbinding.seen import Seen
from statemachine.invariants.claim import clock
from statemachine.report import WIDTH
from statemachine.report.phrases import destination
from statemachine.report.steps import short_row

_MARK, _CALL, _ANSWER, _ROW = 5, 22, 15, 17
_INDENT = " " * (_MARK + 1)


def line(mark: str, call: str, answer: str, row: str, table: str) -> str:
    cells = f"{mark:<{_MARK}} {call:<{_CALL}} {answer:<{_ANSWER}} {row:<{_ROW}} {table}"
    return cells.rstrip()[:WIDTH]


def header() -> list[str]:
    return ["", line("", "called", "answered", "row (#attempt)", "the table's answer: situation")]


def fault(sentence: str, mark: str = "") -> list[str]:
    return _wrapped(sentence, f"{mark:<{_MARK}} ")


def todo(name: str, purpose: str) -> list[str]:
    return _wrapped(purpose, f"{'todo':<{_MARK}} {name:<16} ")


def _wrapped(words: str, begin: str) -> list[str]:
    indent = " " * len(begin)
    return textwrap.wrap(words, WIDTH, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False)


def step(seen: Seen, mark: str) -> str:
    row = short_row(seen.row).partition(" ")[2] if seen.row is not None else "no row"
    return line(mark, seen.call, _answer(seen), row, _table(seen))


def passage(seen: Seen) -> str:
    """A line for what happens to the world."""
    began = seen.events_of(history.StepBegan)[0]
    moved = seen.events_of(history.ClockMoved)
    if moved:
        where = destination(began)
        told = f"{clock(moved[-1].at - moved[-1].since)} s pass{': ' + where if where else ''}"
    else:
        told = f"{began.operation.replace('_', ' ')} {' '.join(map(str, began.arguments.values()))}"
    return f"{_INDENT}─ {told} ─"


def _table(seen: Seen) -> str:
    """The answer that the table demands and in which situation, cut at its second half to fit."""
    cell = seen.cell
    if cell is None or seen.operation in WITHOUT_CALL:
        return ""
    return f"{seen.due}: {cell.situation.partition(', or ')[0]}"


def _answer(seen: Seen) -> str:
    if seen.heard is None:
        return ""
    if seen.heard.error is not None:
        return _cut(type(seen.heard.error).__name__)
    for kind, words in _TOLD_BY_EVENTS.items():
        found = [event for event in seen.events if isinstance(event, kind)]
        if found and seen.operation not in ("prepare", "create_again"):
            return _cut(words(found[-1]))
    return _cut(repr(seen.heard.answer))


_TOLD_BY_EVENTS: dict[type[history.Event], Callable[[Any], str]] = {
    history.DeleteRequested: lambda event: f"deletes {event.message}",
    history.VisibilityChanged: lambda event: f"hidden→{clock(event.visible_at)}",
    history.Delivered: lambda event: event.message,
    history.Sent: lambda event: f"sends {event.message}",
    history.PublicationQueued: lambda event: f"enqueues {event.job}",
}


def _cut(words: str) -> str:
    return words if len(words) < _ANSWER else f"{words[: _ANSWER - 2]}…"
