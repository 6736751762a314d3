"""Write and read lengths of time and numbers as people do: ``90s``, ``1h30m``, ``12 345``, ``2 times``."""

from __future__ import annotations

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WRITTEN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_in(text: str) -> int:
    """Return the seconds that ``text`` names.  Raises ``ValueError`` for another text, and for 0 seconds.

    >>> seconds_in("1h30m")
    5400
    """
    match = _WRITTEN.fullmatch(text.strip().lower())
    found = match.groups() if match else ()
    seconds = sum(int(number) * size for number, size in zip(found, _UNITS.values(), strict=False) if number)
    if not seconds:
        raise ValueError(f"{text!r} is no length of time: write it as 30s, 10m, 6h or 1h30m")
    return seconds


def duration(seconds: float) -> str:
    """Return ``seconds`` in the two largest units, rounded down: ``6h 00m``, ``4m 05s``, ``12s``."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 60}m {whole % 60:02}s" if whole >= 60 else f"{whole}s"


def grouped(number: float) -> str:
    """Return ``number``, rounded to a whole one, with its thousands apart: ``12 345``."""
    return f"{number:,.0f}".replace(",", " ")


def counted(number: int, thing: str = "time", things: str = "") -> str:
    """Return ``number`` with its word: ``1 time``, ``2 times``.

    ``things`` is the plural where it is not ``thing`` with an s.
    """
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def exact(seconds: float | None) -> str:
    """Return ``seconds`` exact to the microsecond, whole ones without a point: ``3540``, ``0.5``.

    None, which a database shows for no time, is ``NULL``.
    """
    return "NULL" if seconds is None else f"{seconds:.6f}".rstrip("0").rstrip(".")
