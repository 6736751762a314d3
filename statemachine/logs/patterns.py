"""Read plain-text logs: phrases of a TOML file stand for the lines that a JSON log would have.

A phrase says less than a JSON line: most plain logs name neither the attempt nor the end of the lease, and
the claims that need them are then not judged.  A line without a time, or without a phrase, is foreign.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.logs.lines import SCHEMA

DEFAULT = "patterns.toml"
ONE_WORKER = "the worker"
"""The worker of lines that name none."""

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

    def __init__(self, always: Mapping[str, re.Pattern[str]], phrases: list[Phrase]) -> None:
        self._always = always
        self._phrases = phrases

    def __call__(self, text: str) -> dict[str, Any] | None:
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
            if name in values:
                values[name] = int(values[name])
        return values


def _groups(found: re.Match[str] | None) -> dict[str, str]:
    return {} if found is None else {name: text for name, text in found.groupdict().items() if text}


def load(path: Path | None = None) -> Phrases:
    """Return the phrases of the file at ``path``, or the shipped ones.

    Raises :class:`PatternError`, and ``OSError`` when the file cannot be read.
    """
    source = path if path is not None else resources.files("statemachine.logs") / DEFAULT
    name = str(path) if path is not None else DEFAULT
    try:
        values = tomllib.loads(source.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
    return Phrases(always, [_phrase(one, f"{name}: phrase {n}") for n, one in enumerate(phrases, start=1)])


def _phrase(values: Any, where: str) -> Phrase:
    if not isinstance(values, dict) or not {"event", "text"} <= set(values) <= _KEYS:
        raise PatternError(f"{where} must have event and text, and may have fields; nothing else")
    if values["event"] not in SCHEMA:
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
    except (re.error, TypeError) as error:
        raise PatternError(f"{where}: {pattern!r} is no regular expression: {error}") from None
