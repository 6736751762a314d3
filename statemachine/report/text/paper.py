"""What a report is written on: its width in columns, and the characters that the stream can show.

The layout is a value that is passed to the functions that lay out, so that one failure can be written for a
terminal, a log and another process.  A terminal that is resized afterwards is not followed, and a
character that takes two columns (CJK) is counted as one.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TextIO

from statemachine.history.shown import cut, visible, without_commands

WIDTH = 100
"""Columns of the widest line."""

NARROWEST = 80
"""A narrower terminal gets lines of 80 columns and wraps them itself: a table of steps needs as many."""

MARGIN = "      "
"""Under a word like FAIL or UNKNOWN, and where a sentence goes on."""

_IN_ASCII: Mapping[str, str] = {"✗": "x", "→": "->", "─": "-", "·": ".", "§": "section ", "…": "..."}
"""Every character outside of ASCII that our texts use, and its spelling where it cannot be shown."""

_LAID_OUT = "\n\t\u00a0"
"""What is not printable, and moves nothing but what follows it."""

MOST_IN_CELL = 2_000
"""Characters of a text that stands in a table; what a system said may have no end."""

MOST_IN_SENTENCE = 10_000
"""Characters of a text that is wrapped."""


@dataclass(frozen=True)
class Paper:
    """A width and an encoding to write for."""

    width: int = WIDTH
    """In columns."""

    encoding: str = "utf-8"
    """Of the stream: it decides which characters can be shown."""

    def spelt(self, text: str) -> str:
        """Return ``text`` in characters that the stream can show; do so before aligning, it may grow.

        If one of our own signs cannot be shown, all of them become ASCII, so that a page does not mix both.
        Characters of the system under test are escaped instead: two names that differ in one of them must
        stay different.  So are those that a terminal would obey, and what a CI service would take for a
        command.
        """
        text = without_commands(visible(text, _LAID_OUT))
        if not _shows_our_signs(self.encoding):
            text = "".join(_IN_ASCII.get(sign, sign) for sign in text)
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def cell(self, text: str) -> str:
        """Return ``text`` as :meth:`spelt` does, in one line, cut at :data:`MOST_IN_CELL` characters."""
        return self.spelt(cut(text, MOST_IN_CELL).replace("\n", "\\n"))

    def wrap(self, text: str, first: str = "", then: str | None = None) -> list[str]:
        """Return ``text`` in lines that fit, indented by ``first``, later ones by ``then`` if given.

        It is cut at :data:`MOST_IN_SENTENCE` characters.
        """
        lines = textwrap.wrap(
            self.spelt(cut(text, MOST_IN_SENTENCE)),
            self.width,
            initial_indent=first,
            subsequent_indent=first if then is None else then,
        )
        # Only now is it known what a line begins with.
        return [self.spelt(line) for line in lines]


WIDE = Paper()
"""For readers of whom nothing is known: a file, or a log that is opened in a browser."""


def paper_for(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Paper:
    """Return the paper for ``stream``: 80 to 100 columns wide.

    ``COLUMNS`` comes before the terminal's own size, as in pytest and ``shutil.get_terminal_size``; a pipe
    and a CI log have neither and get 100.
    """
    # io.StringIO has an encoding, and it is None.
    encoding = getattr(stream, "encoding", None) or WIDE.encoding
    return Paper(min(WIDTH, max(NARROWEST, _columns(stream, environ))), encoding)


def _columns(stream: TextIO, environ: Mapping[str, str]) -> int:
    try:
        asked = int(environ.get("COLUMNS", ""))
    except ValueError:
        asked = 0
    if asked > 0:
        return asked
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # a pipe, a file, a stream of Python's own, a closed one
        return WIDTH


@cache
def _shows_our_signs(encoding: str) -> bool:
    try:
        "".join(_IN_ASCII).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
