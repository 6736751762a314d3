"""What a report is written on: its width in columns, and the characters that the stream can show.

The layout is a value that is passed to the functions that lay out, so that one failure can be written for a
terminal, a log and another process.  A terminal that is resized afterwards is not followed, and a
character that takes two columns (CJK) is counted as one.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TextIO

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

_COMMAND = re.compile(r"^([ \t]*)(?=::|##\w*\[)", re.MULTILINE)
"""The beginning of what GitHub (``::error::``), Azure (``##vso[``) and TeamCity obey when a job prints it."""


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
        stay different.  So are those that a terminal would obey, and the beginning of a line that a CI
        service would take for a command.
        """
        if not text.isprintable():
            text = "".join(
                sign if sign.isprintable() or sign in _LAID_OUT else _escaped(sign) for sign in text
            )
        text = _COMMAND.sub(r"\1\\", text)
        if not _shows_our_signs(self.encoding):
            text = "".join(_IN_ASCII.get(sign, sign) for sign in text)
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def cell(self, text: str) -> str:
        """Return ``text`` as :meth:`spelt` does, in one line."""
        return self.spelt(text.replace("\n", "\\n"))

    def wrap(self, text: str, first: str = "", then: str | None = None) -> list[str]:
        """Return ``text`` in lines that fit, indented by ``first``, later ones by ``then`` if given."""
        lines = textwrap.wrap(
            self.spelt(text),
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


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


@cache
def _shows_our_signs(encoding: str) -> bool:
    try:
        "".join(_IN_ASCII).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
