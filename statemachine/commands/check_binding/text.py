"""What check-binding prints: a line for each step, in columns, and below it the sentence on what to mend."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from statemachine.commands.check_binding.played_step import PlayedStep
from statemachine.commands.check_binding.scenes import WITHOUT_CALL
from statemachine.history import events as history
from statemachine.history.words import counted, exact
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.paper import WIDTH
from statemachine.report.text.phrases import action_of, destination
from statemachine.report.text.steps import short_row

_MARK, _ANSWER = 5, 15
INDENT = " " * (_MARK + 1)
_HEADS = ("called", "answered", "row (#attempt)", "expected answer: situation")


class Columns:
    """Lines in columns, wide enough for the tenants and statuses of one system."""

    def __init__(self, lifecycle: Lifecycle, tenants: Sequence[str]) -> None:
        tenant = max(map(len, tenants[:2]))
        self._call = max(22, len("complete(j1, , 2)") + tenant)
        self._row = max(17, len(f"{lifecycle.done} #2, 1 result"), len(f"{lifecycle.running} #2 →10000"))

    def header(self) -> str:
        return self.line("", *_HEADS)

    def line(self, mark: str, call: str, answer: str = "", row: str = "", *expected: str) -> str:
        """``expected`` are wordings of the last column, longest first: the first that fits is printed."""
        cells = (
            f"{mark:<{_MARK}} {call:<{self._call}} {_cut(answer, _ANSWER):<{_ANSWER}} "
            f"{_cut(row, self._row):<{self._row}} "
        )
        room = WIDTH - len(cells)
        fitting = [words for words in expected if len(words) <= room]
        fitting = fitting or [_cut(words, room) for words in expected]
        return f"{cells}{fitting[0] if fitting else ''}".rstrip()

    def step(self, step: PlayedStep, mark: str) -> str:
        return self.line(mark, step.call, _answer(step), _row(step), *_table(step))


def fault(sentence: str, mark: str = "") -> list[str]:
    """Return the wrapped lines of a sentence, with ``mark`` (``MEND``) in front of the first."""
    return _wrapped(sentence, f"{mark:<{_MARK}} ")


def todo(name: str, purpose: str) -> list[str]:
    """Return the wrapped lines on a piece that is still to write."""
    return _wrapped(purpose, f"{'todo':<{_MARK}} {name:<16} ")


def _wrapped(words: str, begin: str) -> list[str]:
    indent = " " * len(begin)
    return textwrap.wrap(words, WIDTH, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False)


def passage(step: PlayedStep) -> str:
    """Return the line of a step that calls nothing: time that passes, a process that is killed."""
    began = step.events_of(history.StepBegan)[0]
    moved = step.events_of(history.ClockMoved)
    if moved:
        where = destination(began)
        shown = f"{exact(moved[-1].at - moved[-1].since)} s pass{': ' + where if where else ''}"
    else:
        shown = action_of(began) or f"worker {began.arguments['worker']} killed"
    return f"{INDENT}─ {shown} ─"


def _row(step: PlayedStep) -> str:
    if step.row is None:
        return "no row"
    shown = short_row(step.row).partition(" ")[2]
    if step.row.results:
        return f"{shown}, {counted(step.row.results, 'result')}"
    unsent = step.row.status == step.example.lifecycle.pending and step.row.published_at is None
    return f"{shown}, unsent" if unsent else shown


def _table(step: PlayedStep) -> tuple[str, ...]:
    """Return the answer that the table demands and the situation, in full and shorter."""
    cell = step.cell
    if cell is None or step.operation in WITHOUT_CALL:
        return ()
    if step.operation == "recover":
        return (f"sends what is unsent for {step.example.lifecycle.recover_after_seconds} s",)
    situation = cell.situation.partition(", or ")[0]
    if situation == "writes nothing":
        return (situation,)
    return (f"{step.expected_answer}: {situation}", situation)


def _answer(step: PlayedStep) -> str:
    if step.recorded is None:
        return ""
    if step.recorded.error is not None:
        return type(step.recorded.error).__name__
    kind, words = _SHOWN_BY_EVENTS.get(step.operation, (history.Returned, None))
    found = [event for event in step.events if isinstance(event, kind)]
    if found and words is not None:
        return words(found[-1])
    return repr(step.recorded.answer)


_DELIVERED: tuple[type[history.Event], Callable[[Any], str]] = (
    history.Delivered,
    lambda event: str(event.message),
)
_SENT: tuple[type[history.Event], Callable[[Any], str]] = (
    history.Sent,
    lambda event: f"sends {event.message}",
)
_SHOWN_BY_EVENTS: dict[str, tuple[type[history.Event], Callable[[Any], str] | None]] = {
    "create": (history.PublicationQueued, lambda event: f"enqueues {event.job}"),
    "publish": _SENT,
    "recover": _SENT,
    "receive": _DELIVERED,
    "duplicate": _DELIVERED,
    "extend": (history.VisibilityChanged, lambda event: f"hidden→{exact(event.visible_at)}"),
    "acknowledge": (history.DeleteRequested, lambda event: f"deletes {event.message}"),
}
"""Operations whose answer says little: what they asked of the queue or the publisher is shown instead."""


def _cut(words: str, room: int) -> str:
    return words if len(words) <= room else f"{words[: room - 1]}…"
