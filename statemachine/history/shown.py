"""Text of another origin as it may be shown: nothing in it is obeyed, too long or secret.

What a system, a log or a file says reaches terminals, CI logs and pages.  These functions are the only place
that knows what a terminal, a CI service or Markdown would take for a command, and what a password looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from statemachine.history.words import counted

_BEGINS = re.compile(r"^([^\S\n]*)(?=::)", re.MULTILINE)
"""The beginning of a line that GitHub obeys: ``::error::``, after any blanks."""

_ANYWHERE = re.compile(r"##(?=\w*\[)")
"""What GitHub (``##[error]``), Azure (``##vso[``) and TeamCity (``##teamcity[``) obey wherever it stands."""


def visible(text: str, kept: str = "") -> str:
    r"""Return ``text`` with every character that is not printable, nor in ``kept``, spelt as in Python.

    >>> visible("\x1b[2J")
    '\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in kept else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def without_commands(text: str) -> str:
    r"""Return ``text`` with a backslash in whatever a CI service would take for a command.

    >>> without_commands("::error::no")
    '\\::error::no'
    """
    return _ANYWHERE.sub(r"#\\#", _BEGINS.sub(r"\1\\", text))


def cut(text: str, most: int) -> str:
    """Return ``text``, or its beginning and how much of it is left out if it is longer than ``most``."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({counted(len(text) - most, 'more character')})"


def fenced(lines: Iterable[str]) -> list[str]:
    """Return ``lines`` between fences of Markdown that none of them can close."""
    inside = list(lines)
    longest = max((len(run) for line in inside for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *inside, fence]


HIDDEN = "PASSWORD"
"""What stands in the place of a secret."""

_SECRET = ("password", "sslpassword", "passfile", "passwd", "pwd")
"""Names of settings of a connection whose values are never shown."""

_OF_A_USER = re.compile(r"(//|:/)([^\s:/@?#]*):\S*@")
# Greedy: a password that was not quoted may itself hold an @ or a slash.  One slash: a path has no two.

_IN_A_QUERY = re.compile(r"([?&]\s*)([^\s=&?#]+)(\s*=\s*)([^\s&]*?)(?=['\")\],;]*(?:[\s&]|$))")

_BY_KEYWORD = re.compile(
    rf"(?i)\b({'|'.join(_SECRET)})(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+?(?=['\")\],;]*(?:[\s&]|$)))"
)
"""As libpq's connection strings have them: ``host=db password='two words'``."""


def without_passwords(text: str) -> str:
    """Return ``text``, which may hold addresses of servers in any spelling, without their passwords.

    >>> without_passwords("postgresql://owner:p@ss@db/x?sslpassword=other host=db password='s t'")
    'postgresql://owner:PASSWORD@db/x?sslpassword=PASSWORD host=db password=PASSWORD'
    """
    text = _OF_A_USER.sub(rf"\1\2:{HIDDEN}@", text)
    text = _IN_A_QUERY.sub(_hidden, text)
    return _BY_KEYWORD.sub(rf"\1\2{HIDDEN}", text)


def _hidden(found: re.Match[str]) -> str:
    name = unquote(found[2]).strip().lower()  # libpq and redis decode names as well
    return f"{found[1]}{found[2]}{found[3]}{HIDDEN}" if name in _SECRET else found[0]
