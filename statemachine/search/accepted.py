"""Findings that a team has accepted for a while, so that its CI is green and says why.

They stand in ``statemachine.toml``, committed in the directory from which runs are started.  Nothing that
was downloaded, as a corpus or a failure folder is, can accept anything.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.invariants import BY_NAME
from statemachine.search.triage.signature import Signature

FILE = Path("statemachine.toml")
TABLE = "accepted"


class AcceptanceError(ValueError):
    """The file of accepted findings cannot be used; the message says where, why, and the way out."""


class Acceptance(NamedTuple):
    """One accepted finding."""

    claim: str
    """The claim that breaks, by name."""
    signature: str
    """The signature of the failure, as a report prints it."""
    reason: str
    until: date
    """The last day on which it is accepted."""

    def is_of(self, signature: Signature) -> bool:
        """Return whether a failure with this signature is meant."""
        return (self.claim, self.signature) == (signature.invariant, _one_line(str(signature)))


@dataclass(frozen=True)
class Acceptances:
    """All that is accepted, and the day on which the run began: the clock of a run is not that of its day."""

    entries: tuple[Acceptance, ...] = ()
    today: date = date.max

    def of(self, signature: Signature) -> Acceptance | None:
        """Return what accepts this signature today."""
        found = (one for one in self.entries if one.until >= self.today and one.is_of(signature))
        return next(found, None)


NONE = Acceptances()


@dataclass(frozen=True)
class Known:
    """Signatures that do not end a search: found already, or accepted."""

    found: frozenset[Signature]
    accepted: Acceptances = NONE

    def __contains__(self, signature: object) -> bool:
        if not isinstance(signature, Signature):
            return False
        return signature in self.found or self.accepted.of(signature) is not None


def read(file: Path, today: date) -> Acceptances:
    """Return what ``file`` accepts; nothing where there is no such file.  Raises :class:`AcceptanceError`."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Acceptances((), today)
    except OSError as error:
        raise AcceptanceError(
            f"{file} cannot be read ({error.strerror}): mend that, or move it away"
        ) from None
    except ValueError as error:
        raise AcceptanceError(f"{file} is no TOML ({error}): mend it, or move it away") from None
    unknown = sorted(set(values) - {TABLE})
    if unknown:
        raise AcceptanceError(f"{file}: {unknown[0]!r} means nothing here; it may hold [[{TABLE}]] only")
    tables = values.get(TABLE, [])
    if not isinstance(tables, list):
        raise AcceptanceError(f"{file}: {TABLE} must be a list of tables; begin each with [[{TABLE}]]")
    return Acceptances(tuple(_entries(file, tables)), today)


def _entries(file: Path, tables: list[Any]) -> Iterator[Acceptance]:
    seen: set[tuple[str, str]] = set()
    for number, table in enumerate(tables, 1):
        place = f"{file}: [[{TABLE}]] {number}"
        wrong = _wrong(table, seen)
        if wrong:
            raise AcceptanceError(f"{place}: {wrong}")
        words = {name: _one_line(table[name]) for name in _TEXTS}
        seen.add((words["claim"], words["signature"]))
        yield Acceptance(words["claim"], words["signature"], words["reason"], table["until"])


_TEXTS: Mapping[str, str] = {
    "claim": "the claim that breaks, as the report names it",
    "signature": "the signature of the failure, as its report prints it",
    "reason": "why it is accepted",
}


def _wrong(table: Any, seen: Collection[tuple[str, str]]) -> str:
    """Return what is wrong with an entry, empty for nothing."""
    if not isinstance(table, dict):
        return f"{table!r} is no table; write claim, signature, reason and until, a line each"
    unknown = sorted(set(table) - {*_TEXTS, "until"})
    if unknown:
        return f"{unknown[0]!r} means nothing here; the fields are {', '.join(_TEXTS)} and until"
    for name, what in _TEXTS.items():
        value = table.get(name)
        if not isinstance(value, str) or not value.strip():
            return f"{name} is {_shown(value)}; give {what}, as a text"
    until = table.get("until")
    if not isinstance(until, date) or isinstance(until, datetime):
        return f"until is {_shown(until)}; give the last day of it, as 2030-12-31 without quotes"
    if table["claim"] not in BY_NAME:
        return f"claim is {table['claim']!r}, which is none; the claims are {', '.join(BY_NAME)}"
    if (_one_line(table["claim"]), _one_line(table["signature"])) in seen:
        return "an earlier entry has the same claim and signature; leave one of them out"
    return ""


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value) if isinstance(value, str) else str(value)


def _one_line(text: str) -> str:
    """A report may have broken a long signature into lines."""
    return " ".join(text.split())
