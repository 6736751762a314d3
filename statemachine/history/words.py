"""Lengths of time and numbers as people write them: ``90s``, ``10m``, ``1h30m``; ``12 345``."""

from __future__ import annotations

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WRITTEN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_in(text: str) -> int:
    """The whole seconds that ``text`` says.  Raises ``ValueError`` for anything else, and for nothing."""
    match = _WRITTEN.fullmatch(text.strip().lower())
    found = match.groups() if match else ()
    seconds = sum(int(number) * size for number, size in zip(found, _UNITS.values(), strict=False) if number)
    if not seconds:
        raise ValueError(f"{text!r} is no length of time: write it as 30s, 10m, 6h or 1h30m")
    return seconds


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``6h 00m``, ``4m 05s``, ``12s``."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 60}m {whole % 60:02}s" if whole >= 60 else f"{whole}s"


def grouped(number: float) -> str:
    """A number with its thousands apart."""
    return f"{number:,.0f}".replace(",", " ")


def counted(number: int, thing: str = "time", things: str = "") -> str:
    """A count with its word: ``1 time``, ``2 times``; ``things`` where an s does not make the plural."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def exact(seconds: float | None) -> str:
    """A time or a length in seconds, exact to the microsecond, whole seconds without a point; ``NULL``."""
    return "NULL" if seconds is None else f"{seconds:.6f}".rstrip("0").rstrip(".")
