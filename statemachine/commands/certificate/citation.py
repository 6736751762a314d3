"""The certificate that is kept with the sources, and the line of a run's header that cites it.

The line must not delay a run: the texts of the sources are compared by digest (2 ms for all of them), and
a source is parsed only when its text has changed (100 ms and more for all of them).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from statemachine.commands.certificate import sources
from statemachine.commands.certificate.sources import Digest

KEPT = Path(__file__).with_name("certificate.json")
_CHECKOUT = Path(__file__).parents[3]
"""Where the sources are kept; of an installed package no such place, and no certificate can be kept there."""
DOCUMENT = "docs/certificate.md"
COMMAND_LINE = f"python -m statemachine certificate --write {DOCUMENT}"
"""Measures again, and keeps what was measured where runs cite it."""

Digests = Mapping[str, Digest]


class LaneFigures(NamedTuple):
    """The figures of one lane."""

    found: int
    """Defects that were found on all seeds."""
    measured: int
    """Defects that were searched for."""
    examples: int
    """Examples of one search at most."""


_NONE: Digests = {}


class Certificate(NamedTuple):
    """What was measured, and the digests of all sources that decide what is found."""

    date: str
    """The day of the measurement in UTC, as ISO 8601."""
    commit: str
    """The abbreviated hash of the commit; empty where there is no git."""
    modified: bool
    """Whether a source differed from that commit."""
    binding: str
    seeds: int
    """On how many seeds each defect was searched for."""
    examples: int
    """Examples of one search in the embedded lane at most."""
    found: int
    """Defects that were found on all seeds in the embedded lane."""
    measured: int
    """Defects that were searched for in the embedded lane."""
    machine: Digests
    """The sources of the search, the world and the invariants, by module."""
    system: Digests
    """The sources of the system under test, by path in its package."""
    defects: Digests
    """The source of each planted defect, by the defect's name."""
    interleaving: Digests = _NONE
    """The sources of the transactions lane that the embedded lane does not use."""
    transactions: LaneFigures | None = None
    """The figures of the transactions lane; None where it was not played."""

    def counts(self, defects: str = "defects") -> str:
        """Return ``89 of 89 defects``, by lane where two were played; ``defects`` is the noun to use."""
        if self.transactions is None:
            return f"{self.found} of {self.measured} {defects}"
        embedded = (
            f"{self.found} of {self.measured} {defects} in the embedded lane, " if self.measured else ""
        )
        found, measured = self.transactions.found, self.transactions.measured
        noun = "" if self.measured else f" {defects}"
        return f"{embedded}{found} of {measured}{noun} in the transactions lane"

    @property
    def origin(self) -> str:
        """The day and the commit of the measurement, in a few words."""
        commit = f"commit {self.commit}" if self.commit else "commit unknown"
        return f"{self.date}, {commit}{' with uncommitted changes' if self.modified else ''}"


GROUPS = ("machine", "interleaving", "system", "defects")
"""Fields that hold digests.  Certificates from before the transactions lane have no ``interleaving``."""


def dumps(certificate: Certificate) -> str:
    """Return the certificate as JSON, with a line for each source."""
    written = figures(certificate)
    for group in GROUPS:
        written[group] = {name: " ".join(digest) for name, digest in getattr(certificate, group).items()}
    return json.dumps(written, indent=1) + "\n"


def figures(certificate: Certificate) -> dict[str, object]:
    """Return all fields but the digests, for JSON."""
    counted = certificate.transactions
    others = {name: value for name, value in certificate._asdict().items() if name not in GROUPS}
    return {**others, "transactions": counted and counted._asdict()}


def loads(text: str) -> Certificate:
    """Return the certificate that :func:`dumps` wrote.  Raise ``ValueError`` for any other text."""
    try:
        written = json.loads(text)
        groups = {
            group: {name: Digest(*digest.split()) for name, digest in written[group].items()}
            for group in GROUPS
            if group in written
        }
        counted = written.get("transactions")
        transactions = LaneFigures(**counted) if counted is not None else None
        return Certificate(**{**written, **groups, "transactions": transactions})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def cite(binding_path: str, defects: Collection[str], kept: Path = KEPT) -> str:
    """Return the line for a run's header: what was found, when, and whether it may hold no more.

    ``defects`` are the names of the defects that the binding has now.
    """
    try:
        certificate = loads(kept.read_text("utf-8"))
    except FileNotFoundError:
        return f"certificate: none yet; to measure one: {COMMAND_LINE}"
    except (OSError, ValueError) as error:
        return f"certificate: {kept} cannot be read ({error}); to measure a new one: {COMMAND_LINE}"
    own = binding_path == certificate.binding
    planted = "planted defects" if own else "defects planted in the bundled system"
    line = (
        f"certificate: the search found {certificate.counts(planted)} on each of {certificate.seeds} seeds "
        f"({DOCUMENT}, {certificate.origin})"
    )
    since = _changes(certificate, defects, own)
    if not since:
        return line
    again = f"; to measure again: {COMMAND_LINE}" if (_CHECKOUT / DOCUMENT).is_file() else ""
    return f"{line}; since then {since}, so it may find more or fewer now{again}"


def _changes(certificate: Certificate, defects: Collection[str], own: bool) -> str:
    """Return what has changed since the measurement, as a clause; empty for nothing.

    The system under test and its defects count only when they are the certificate's ``own``.
    """
    if _modules_changed(certificate.machine):
        return "the search or the claims have changed"
    changes = [_changes_of_the_system(certificate, defects)] if own else []
    changes += ["the transactions lane has changed"] if _modules_changed(certificate.interleaving) else []
    return " and ".join(change for change in changes if change)


def _modules_changed(before: Digests) -> bool:
    return _any_changed({name: sources.module_file(name) for name in before}, before)


def _changes_of_the_system(certificate: Certificate, defects: Collection[str]) -> str:
    system, planted = sources.system_files(certificate.binding, defects)
    if set(system) != set(certificate.system) or _any_changed(system, certificate.system):
        return "the system under test has changed"
    differing = [
        name
        for name, before in certificate.defects.items()
        if name not in planted or sources.changed(planted[name], before)
    ]
    differing += set(planted) - set(certificate.defects)
    if not differing:
        return ""
    return f"defects were added, removed or changed ({', '.join(sorted(differing))})"


def _any_changed(files: Mapping[str, Path | None], before: Digests) -> bool:
    return any(sources.changed(files[name], digest) for name, digest in before.items())
