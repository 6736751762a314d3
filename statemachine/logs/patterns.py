"""Read plain-text logs: phrases of a TOML file stand for the lines that a JSON log would have.

A phrase says less than a JSON line: most plain logs name neither the attempt nor the end of the lease, and
the claims that need them are then not judged.  A line without a time, or without a phrase, is foreign.
"""

from __future__ import annotations

import re
import signal
import threading
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.history.foreign import brief, read_text
from statemachine.logs.lines import SCHEMA

DEFAULT = "patterns.toml"
ONE_WORKER = "the worker"
"""The worker of lines that name none."""

MOST_SECONDS = 2
"""Of processor time that the patterns of a user may take for one line; they need microseconds."""
MOST_DIGITS = 19
"""Of a number in a line."""

_ALWAYS = ("time", "worker", "job")
_KEYS = {"event", "text", "fields"}


class PatternError(ValueError):
    """A pattern file cannot be used; the message says where, why, and what to write instead."""


class Phrase(NamedTuple):
    """One entry of a pattern file: the text to look for, and the event that it stands for."""

    event: str
    text: re.Pattern[str]
    fields: Mapping[str, Any]
    """Fields that the phrase itself says, whatever the line does."""


class Phrases:
    """Called with a text, return the values of the line that it stands for, or None."""

    def __init__(
        self, always: Mapping[str, re.Pattern[str]], phrases: list[Phrase], name: str | None = None
    ) -> None:
        self._always = always
        self._phrases = phrases
        self._name = name
        """The file of a user, whose patterns may take for ever; None: they are the shipped ones."""

    def __call__(self, text: str) -> dict[str, Any] | None:
        """Raise :class:`PatternError` when the patterns of a user take more than :data:`MOST_SECONDS`."""
        if self._name is None or not _can_be_timed():
            return self._values(text)
        before = signal.signal(signal.SIGVTALRM, _too_long)
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
        try:
            return self._values(text)
        except _TooLong:
            raise PatternError(
                f"{self._name}: its patterns take more than {MOST_SECONDS} s for the line {brief(text)}; "
                "write those with .* or nested repetitions so that each part can match in one way only, as "
                "the shipped ones by (?>…)"
            ) from None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    def _values(self, text: str) -> dict[str, Any] | None:
        phrase, found = next(
            ((phrase, found) for phrase in self._phrases if (found := phrase.text.search(text))), (None, None)
        )
        if phrase is None or found is None:
            return None
        values: dict[str, Any] = {"event": phrase.event, **phrase.fields}
        for pattern in self._always.values():
            values |= _groups(pattern.search(text))
        values |= _groups(found)
        if "at" not in values:
            return None
        values["at"] = values["at"].replace(",", ".")
        values.setdefault("worker", ONE_WORKER)
        for name in ("attempt", "receive_count"):
            if str(values.get(name)).isdecimal() and len(values[name]) < MOST_DIGITS:
                values[name] = int(values[name])
        return values


class _TooLong(Exception):
    """The time for one line is over."""


def _too_long(*_: object) -> None:
    raise _TooLong


def _can_be_timed() -> bool:
    """Whether this is a system with timers of processor time, and the thread that gets their signals."""
    return hasattr(signal, "SIGVTALRM") and threading.current_thread() is threading.main_thread()


def _groups(found: re.Match[str] | None) -> dict[str, str]:
    return {} if found is None else {name: text for name, text in found.groupdict().items() if text}


def load(path: Path | None = None) -> Phrases:
    """Return the phrases of the file at ``path``, or the shipped ones.

    Raises :class:`PatternError`, and ``OSError`` when the file cannot be read.
    """
    source = path if path is not None else resources.files("statemachine.logs") / DEFAULT
    name = str(path) if path is not None else DEFAULT
    try:
        values = tomllib.loads(source.read_text("utf-8") if path is None else read_text(path))
    except RecursionError:
        raise PatternError(f"{name} is no TOML file: it is nested too deeply") from None
    except ValueError as error:
        raise PatternError(f"{name} is no TOML file: {error}") from None
    strange = sorted(set(values) - {*_ALWAYS, "phrase"})
    if strange:
        raise PatternError(
            f"{name}: {strange[0]} is not a known key; the keys are {', '.join(_ALWAYS)} and [[phrase]]"
        )
    always = {key: _compiled(values[key], f"{name}: {key}") for key in _ALWAYS if key in values}
    if "at" not in getattr(always.get("time"), "groupindex", {}):
        raise PatternError(f"{name}: time must be a pattern with a group (?P<at>…) for the time of a line")
    phrases = values.get("phrase")
    if not isinstance(phrases, list) or not phrases:
        raise PatternError(f"{name} has no [[phrase]]: give each an event and a text")
    read = [_phrase(one, f"{name}: phrase {n}") for n, one in enumerate(phrases, start=1)]
    return Phrases(always, read, None if path is None else name)


def _phrase(values: Any, where: str) -> Phrase:
    if not isinstance(values, dict) or not {"event", "text"} <= set(values) <= _KEYS:
        raise PatternError(f"{where} must have event and text, and may have fields; nothing else")
    if not isinstance(values["event"], str) or values["event"] not in SCHEMA:
        raise PatternError(
            f"{where}: {values['event']!r} is not a known event; the events are {', '.join(SCHEMA)}"
        )
    fields = values.get("fields", {})
    if not isinstance(fields, dict):
        raise PatternError(f"{where}: fields is {fields!r}, and must be a table of names and values")
    return Phrase(values["event"], _compiled(values["text"], where), fields)


def _compiled(pattern: Any, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise PatternError(f"{where}: {brief(pattern)} is no regular expression: {error}") from None
