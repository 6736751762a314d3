"""Read log files as one stream of lines, in the order of their times, and count what cannot be read.

The log of a real process is cut off, doubled by a collector, and mixed with lines of other programs: none
of that ends the reading.  Each file is taken to be in its own order; one whose clock runs back is named,
because the order of its lines against those of other files is then a guess.
"""

from __future__ import annotations

import heapq
import json
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from statemachine.logs.lines import Incomplete, LogLine, LogPlace, NotOurs, read_fields

STDIN = "-"
MOST_OF_JSON = 16 * 2**20
"""Characters of a line of JSON: ``rows.read`` names every job of a run in one line."""
_BEFORE_JSON = f" {BOM_UTF8.decode()}"
MOST_OF_A_PHRASE = 20_000
"""Characters of a line that patterns are tried on."""
EXAMPLES_KEPT = 3
"""Places that are kept of each kind of line that could not be read; all are counted."""

Phrases = Callable[[str], "dict[str, Any] | None"]
"""Turns a line that is no JSON into the values of one that is, or None: see ``patterns.py``."""


@dataclass
class SkippedLines:
    """Counts of the lines that were passed over, by the reason."""

    read: int = 0
    """All lines, those passed over included."""
    blank: int = 0
    truncated: int = 0
    """They begin as JSON and cannot be parsed."""
    doubled: int = 0
    """They say again what the same worker has logged at the same microsecond."""
    foreign: int = 0
    """They belong to another program."""
    oversized: int = 0
    """They are longer than is read."""
    incomplete: int = 0
    """They are a worker's and lack a field, or have one in another form."""
    backwards: int = 0
    """Not passed over: lines with an earlier time than the line above them in their file."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Some places of each kind, with the reason."""

    def note(self, kind: str, place: LogPlace, why: str = "") -> None:
        """Count a line of ``kind`` (the name of a count), and keep its place as an example."""
        setattr(self, kind, getattr(self, kind) + 1)
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES_KEPT:
            kept.append(f"{place} {why}".rstrip())


class Truncated(ValueError):
    """The line begins as JSON and cannot be parsed."""


class Reader:
    """Turns texts into lines.  Their seconds count from the first time that it reads."""

    def __init__(self, phrases: Phrases | None = None) -> None:
        self.skipped = SkippedLines()
        self.origin: datetime | None = None
        self._phrases = phrases
        self._logged: dict[str, tuple[float, set[tuple[Any, ...]]]] = {}

    def moment(self, value: Any) -> float:
        """Return the seconds from the origin, exact to the microsecond.  A time without a zone is UTC.

        Raises ``ValueError`` for a value that is no ISO 8601 time; the text says what it must be.
        """
        try:
            found = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError("a time such as 2030-10-27T00:30:00.123456Z") from None
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        if self.origin is None:
            self.origin = found
        return (found - self.origin).total_seconds()

    def line(self, text: str, place: LogPlace) -> LogLine | None:
        """Return the line that ``text`` holds, or None for one that is counted and passed over."""
        self.skipped.read += 1
        most = MOST_OF_JSON if text.lstrip(_BEFORE_JSON).startswith("{") else MOST_OF_A_PHRASE
        if len(text) > most:
            self.skipped.note("oversized", place, f"has more than {most} characters")
            return None
        text = text.strip()
        if not text:
            self.skipped.blank += 1
            return None
        try:
            values = self._values(text)
            at = self._when(values)
            fields = read_fields(values["event"], values, self.moment)
        except Truncated:
            self.skipped.note("truncated", place)
        except NotOurs:
            self.skipped.note("foreign", place)
        except Incomplete as error:
            self.skipped.note("incomplete", place, str(error))
        else:
            worker = sys.intern(str(values["worker"]))
            return LogLine(self.skipped.read, place, at, values["event"], worker, fields)
        return None

    def _values(self, text: str) -> dict[str, Any]:
        if text.startswith("{"):
            try:
                values = json.loads(text)
            except json.JSONDecodeError:
                raise Truncated from None
            except (RecursionError, ValueError):  # a number of more digits than Python reads
                raise NotOurs("nested too deeply, or a number without end") from None
        else:
            values = self._phrases(text) if self._phrases is not None else None
        if not isinstance(values, dict) or not isinstance(values.get("event"), str):
            raise NotOurs("no object with an event")
        return values

    def _when(self, values: dict[str, Any]) -> float:
        if values.get("at") is None or values.get("worker") is None:
            # Other programs log JSON with an "event" too; only a line of a known event must name a worker.
            read_fields(values["event"], values, self.moment)
            raise Incomplete(f"{values['event']} has no {'at' if values.get('at') is None else 'worker'}")
        try:
            return self.moment(values["at"])
        except ValueError as error:
            read_fields(values["event"], values, self.moment)
            raise Incomplete(f"{values['event']}: at is {values['at']!r}, and must be {error}") from None

    def _is_doubled(self, line: LogLine) -> bool:
        """Whether the same worker logged the same event about the same things at the same moment."""
        known = line.fields.get
        key = (line.event, known("job_id"), known("message_id"), known("receipt"), known("operation"))
        at, logged = self._logged.get(line.worker, (None, set()))
        if at != line.at:
            self._logged[line.worker] = (line.at, {key})
            return False
        again = key in logged
        logged.add(key)
        return again

    # -- files ------------------------------------------------------------------------------

    def lines(self, files: Sequence[str]) -> Iterator[LogLine]:
        """Yield all lines of ``files`` (``-`` is the standard input), merged by time.

        Raises ``OSError`` for a file that cannot be read.
        """
        opened: list[TextIO] = []
        try:
            for name in files:
                opened.append(_open(name))
            streams = [
                self._in_order(self._of(stream, "stdin" if name == STDIN else name))
                for name, stream in zip(files, opened, strict=True)
            ]
            # Doubles are looked for after the merge: the same log may have been collected into two files.
            for _, line in heapq.merge(*streams, key=lambda keyed: keyed[0]):
                if self._is_doubled(line):
                    self.skipped.note("doubled", line.place)
                else:
                    yield line
        finally:
            for stream in opened:
                if stream is not sys.stdin:
                    stream.close()

    def _of(self, texts: TextIO, name: str) -> Iterator[LogLine]:
        for number, text in enumerate(_bounded(texts), start=1):
            line = self.line(text, LogPlace(name, number))
            if line is not None:
                yield line

    def _in_order(self, lines: Iterable[LogLine]) -> Iterator[tuple[float, LogLine]]:
        """Yield each line with the time to merge it by: never before that of the line above it.

        Within a file its own order counts for more than its clock, which may be set back.
        """
        latest = float("-inf")
        for line in lines:
            if line.at < latest:
                self.skipped.note("backwards", line.place)
            latest = max(latest, line.at)
            yield latest, line


def _bounded(stream: TextIO) -> Iterator[str]:
    """Yield the lines of ``stream``; of one that is longer than any that is read, only its beginning."""
    while text := stream.readline(MOST_OF_JSON + 1):
        more = text
        while len(more) > MOST_OF_JSON and not more.endswith("\n"):
            more = stream.readline(MOST_OF_JSON + 1)
        yield text


def _open(name: str) -> TextIO:
    if name == STDIN:
        return sys.stdin
    try:
        return open(name, encoding="utf-8-sig", errors="replace", newline="\n")
    except (OSError, ValueError) as error:  # a name may hold a NUL
        reason = getattr(error, "strerror", None) or error
        raise OSError(f"{name} cannot be read ({reason}): name a log of a worker") from None


def texts(places: Iterable[LogPlace]) -> dict[LogPlace, str]:
    """Return the texts of lines that were read before, without those that cannot be read again."""
    wanted: dict[str, set[int]] = {}
    for place in places:
        wanted.setdefault(place.file, set()).add(place.number)
    found: dict[LogPlace, str] = {}
    for name, numbers in wanted.items():
        try:
            with open(name, encoding="utf-8-sig", errors="replace", newline="\n") as stream:
                last = max(numbers)
                for number, text in enumerate(_bounded(stream), start=1):
                    if number in numbers:
                        found[LogPlace(name, number)] = text.strip()
                    if number >= last:
                        break
        except OSError:
            continue
    return found
