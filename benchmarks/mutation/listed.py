"""The list of known mutants, ``known.toml``: an entry for each mutant, never a pattern.

``[[equivalent]]``: no run of any suite on any database can distinguish it from the original.
``[[survivor]]``: a run could, and this suite does not; it counts in the score.
``[[not_run]]``: a definition that the default binding never calls; a run without it must pass.
Every entry has a ``reason``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mutation.mutants import MutantPlace

KINDS = {
    "locks": "a row lock is missing: a matter for two transactions at once, which SQLite cannot have",
    "unseen": "it changes what no part of the binding shows to the verifier",
    "driver": "only a caller that breaks the rules which the code itself states could meet it",
    "hole": "the verifier ought to see it",
}
"""Why a survivor that is no equivalent survives."""

_PLACE = ("module", "definition", "before", "after")


class ListError(ValueError):
    """The list cannot be used as it stands; the message names the entry and what is wrong with it."""


@dataclass(frozen=True)
class Known:
    """The entries of the list."""

    equivalent: Mapping[MutantPlace, str]
    """The reason, by place."""
    survivors: Mapping[MutantPlace, tuple[str, str]]
    """Kind and reason, by place."""
    not_run: Mapping[str, Mapping[str, str]]
    """The reason, by module and definition."""

    def unknown_places(self, places: Iterable[MutantPlace]) -> list[MutantPlace]:
        """Return the entries without a mutant."""
        there = set(places)
        return [place for place in (*self.equivalent, *self.survivors) if place not in there]

    def runs(self, place: MutantPlace) -> bool:
        return not any(
            place.definition == name or place.definition.startswith(f"{name}.")
            for name in self.not_run.get(place.module, ())
        )


def read(path: Path) -> Known:
    """Return the entries.  Raise :class:`ListError` for one that is ambiguous or incomplete."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ListError(f"{path}: {error}") from None
    strange = sorted(set(entries) - {"equivalent", "survivor", "not_run"})
    if strange:
        raise ListError(f"{path}: [[{strange[0]}]]: there are equivalent, survivor and not_run only")
    equivalent: dict[MutantPlace, str] = {}
    survivors: dict[MutantPlace, tuple[str, str]] = {}
    for entry in entries.get("equivalent", ()):
        place = _place(path, entry, "reason")
        _once(path, place, equivalent)
        equivalent[place] = entry["reason"]
    for entry in entries.get("survivor", ()):
        place = _place(path, entry, "reason", "kind")
        _once(path, place, {**equivalent, **survivors})
        if entry["kind"] not in KINDS:
            raise ListError(f"{path}: {place}: kind {entry['kind']!r} is none of {', '.join(KINDS)}")
        survivors[place] = entry["kind"], entry["reason"]
    not_run: dict[str, dict[str, str]] = {}
    for entry in entries.get("not_run", ()):
        _complete(path, entry, {"module", "definition", "reason"}, set())
        not_run.setdefault(entry["module"], {})[entry["definition"]] = entry["reason"]
    return Known(equivalent, survivors, not_run)


def stub(place: MutantPlace) -> str:
    """Return an entry for ``place``, its reason still empty."""
    again = f"occurrence = {place.occurrence}\n" if place.occurrence > 1 else ""
    fields = "".join(f"{name} = {_quoted(getattr(place, name))}\n" for name in _PLACE)
    return f'[[survivor]]\n{fields}{again}kind = ""\nreason = ""\n'


def _place(path: Path, entry: Mapping[str, Any], *further: str) -> MutantPlace:
    _complete(path, entry, {*_PLACE, *further}, {"occurrence"})
    return MutantPlace(*(entry[name] for name in _PLACE), entry.get("occurrence", 1))


def _complete(path: Path, entry: Mapping[str, Any], needed: set[str], allowed: set[str]) -> None:
    for name in sorted(needed - set(entry)):
        raise ListError(f"{path}: an entry lacks {name}: {dict(entry)}")
    for name in sorted(set(entry) - needed - allowed):
        raise ListError(f"{path}: an entry has an unknown {name}: {dict(entry)}")
    if not entry["reason"].strip():
        raise ListError(f"{path}: an entry has no reason: {dict(entry)}")


def _once(path: Path, place: MutantPlace, listed: Mapping[MutantPlace, object]) -> None:
    if place in listed:
        raise ListError(f"{path}: {place}: it is listed twice")


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
