"""What a report is written on: how wide it is, and which characters it can show.

The layout is a value that is passed to whatever lays out, so that the same failure can be written for a
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

from statemachine.report import WIDTH

NARROWEST = 80
"""A narrower terminal gets lines of 80 columns and wraps them itself: a table of steps needs as many."""

MARGIN = "      "
"""Under a word like FAIL or UNKNOWN, and where a sentence goes on."""

_IN_ASCII: Mapping[str, str] = {"✗": "x", "→": "->", "─": "-", "·": ".", "§": "section ", "…": "..."}
"""Every character outside of ASCII that our texts use, with what stands for it where it cannot be shown."""


@dataclass(frozen=True)
class Paper:
    """``width`` in columns; ``encoding`` is that of the stream, which decides what it can show."""

    width: int = WIDTH
    encoding: str = "utf-8"

    def spelt(self, text: str) -> str:
        """``text`` in characters that the stream can show; apply it before aligning, as it may lengthen.

        Our own signs become ASCII, all of them as soon as one cannot be shown; a character of somebody
        else's is escaped, since two names that differ by it must not become the same.
        """
        if not _shows_our_signs(self.encoding):
            text = "".join(_IN_ASCII.get(sign, sign) for sign in text)
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def wrap(self, text: str, first: str = "", then: str | None = None) -> list[str]:
        """``text`` in lines that fit, the first one indented by ``first``, others by ``then`` if given."""
        return textwrap.wrap(
            self.spelt(text),
            self.width,
            initial_indent=first,
            subsequent_indent=first if then is None else then,
        )


WIDE = Paper()
"""Where nothing is known of the reader: a file, or a log that is opened in a browser."""


def paper_for(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Paper:
    """What ``stream`` is written on: 80 to 100 columns.

    ``COLUMNS`` comes before the terminal's own size, as in pytest and ``shutil.get_terminal_size``; a pipe
    and a CI log have neither and get 100.
    """
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
