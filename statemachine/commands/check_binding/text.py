"""How the walk is told: a line a step, in columns, and a fault as a sentence below its line."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from statemachine.commands.check_binding.scenes import WITHOUT_CALL
from statemachine.commands.check_binding.step import Seen
from statemachine.history import events as history
from statemachine.history.words import counted, exact
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.paper import WIDTH
from statemachine.report.text.phrases import action_of, destination
from statemachine.report.text.steps import short_row

_MARK, _ANSWER = 5, 15
INDENT = " " * (_MARK + 1)
_HEADS = ("called", "answered", "row (#attempt)", "the table's answer: situation")


class Columns:
    """Lines in columns that fit the names of one system, its tenants and statuses."""

    def __init__(self, lifecycle: Lifecycle, tenants: Sequence[str]) -> None:
        tenant = max(map(len, tenants[:2]))
        self._call = max(22, len("complete(j1, , 2)") + tenant)
        self._row = max(17, len(f"{lifecycle.done} #2, 1 result"), len(f"{lifecycle.running} #2 →10000"))

    def header(self) -> str:
        return self.line("", *_HEADS)

    def line(self, mark: str, call: str, answer: str = "", row: str = "", *table: str) -> str:
        """``table`` are wordings of the last column: the first that fits is taken."""
        cells = (
            f"{mark:<{_MARK}} {call:<{self._call}} {_cut(answer, _ANSWER):<{_ANSWER}} "
            f"{_cut(row, self._row):<{self._row}} "
        )
        room = WIDTH - len(cells)
        fitting = [words for words in table if len(words) <= room] or [_cut(words, room) for words in table]
        return f"{cells}{fitting[0] if fitting else ''}".rstrip()

    def step(self, seen: Seen, mark: str) -> str:
        return self.line(mark, seen.call, _answer(seen), _row(seen), *_table(seen))


def fault(sentence: str, mark: str = "") -> list[str]:
    return _wrapped(sentence, f"{mark:<{_MARK}} ")


def todo(name: str, purpose: str) -> list[str]:
    return _wrapped(purpose, f"{'todo':<{_MARK}} {name:<16} ")


def _wrapped(words: str, begin: str) -> list[str]:
    indent = " " * len(begin)
    return textwrap.wrap(words, WIDTH, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False)


def passage(seen: Seen) -> str:
    """A line for what happens to the world."""
    began = seen.events_of(history.StepBegan)[0]
    moved = seen.events_of(history.ClockMoved)
    if moved:
        where = destination(began)
        told = f"{exact(moved[-1].at - moved[-1].since)} s pass{': ' + where if where else ''}"
    else:
        told = action_of(began) or f"worker {began.arguments['worker']} killed"
    return f"{INDENT}─ {told} ─"


def _row(seen: Seen) -> str:
    if seen.row is None:
        return "no row"
    shown = short_row(seen.row).partition(" ")[2]
    if seen.row.results:
        return f"{shown}, {counted(seen.row.results, 'result')}"
    unsent = seen.row.status == seen.example.lifecycle.pending and seen.row.published_at is None
    return f"{shown}, unsent" if unsent else shown


def _table(seen: Seen) -> tuple[str, ...]:
    """The answer that the table demands and in which situation, in full and shorter."""
    cell = seen.cell
    if cell is None or seen.operation in WITHOUT_CALL:
        return ()
    if seen.operation == "recover":
        return (f"sends what is unsent for {seen.example.lifecycle.recover_after_seconds} s",)
    situation = cell.situation.partition(", or ")[0]
    if situation == "writes nothing":
        return (situation,)
    return (f"{seen.due}: {situation}", situation)


def _answer(seen: Seen) -> str:
    if seen.heard is None:
        return ""
    if seen.heard.error is not None:
        return type(seen.heard.error).__name__
    kind, words = _TOLD_BY_EVENTS.get(seen.operation, (history.Returned, None))
    found = [event for event in seen.events if isinstance(event, kind)]
    if found and words is not None:
        return words(found[-1])
    return repr(seen.heard.answer)


_DELIVERED: tuple[type[history.Event], Callable[[Any], str]] = (
    history.Delivered,
    lambda event: str(event.message),
)
_SENT: tuple[type[history.Event], Callable[[Any], str]] = (
    history.Sent,
    lambda event: f"sends {event.message}",
)
_TOLD_BY_EVENTS: dict[str, tuple[type[history.Event], Callable[[Any], str] | None]] = {
    "create": (history.PublicationQueued, lambda event: f"enqueues {event.job}"),
    "publish": _SENT,
    "recover": _SENT,
    "receive": _DELIVERED,
    "duplicate": _DELIVERED,
    "extend": (history.VisibilityChanged, lambda event: f"hidden→{exact(event.visible_at)}"),
    "acknowledge": (history.DeleteRequested, lambda event: f"deletes {event.message}"),
}
"""Calls whose answer says little: what they asked of queue and publisher is told instead."""


def _cut(words: str, room: int) -> str:
    return words if len(words) <= room else f"{words[: room - 1]}…"
