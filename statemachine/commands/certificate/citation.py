"""The certificate that is kept with the sources, and the line in which every run cites it.

A run may not wait for it: only texts are compared, and a source is parsed only when its text has changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from statemachine.commands.certificate import sources
from statemachine.commands.certificate.sources import Digest

KEPT = Path(__file__).with_name("certificate.json")
DOCUMENT = "docs/certificate.md"

Digests = Mapping[str, Digest]


class LaneFigures(NamedTuple):
    """Of ``measured`` defects so many were ``found`` on all seeds, in so many ``examples`` at most."""

    found: int
    measured: int
    examples: int


_NONE: Digests = {}


class Certificate(NamedTuple):
    """What was measured, and the digests of all sources that it was measured on.

    ``date`` is an ISO date, ``commit`` an abbreviated hash or empty; ``found`` of ``measured`` defects
    were found on all ``seeds`` in the embedded lane.  ``transactions`` says the same of the transactions
    lane, whose own sources are ``interleaving``: None where it was not played, or not known yet.
    """

    date: str
    commit: str
    modified: bool
    binding: str
    seeds: int
    examples: int
    found: int
    measured: int
    machine: Digests
    system: Digests
    defects: Digests
    interleaving: Digests = _NONE
    transactions: LaneFigures | None = None

    def counts(self, whose: str = "") -> str:
        """``89 of 89 defects``, and which of them in what lane; ``whose`` follows that word."""
        if self.transactions is None:
            return f"{self.found} of {self.measured} defects{whose}"
        embedded = f"{self.found} of {self.measured} defects{whose} in the embedded lane, "
        found, measured = self.transactions.found, self.transactions.measured
        defects = "" if self.measured else f" defects{whose}"
        return f"{embedded if self.measured else ''}{found} of {measured}{defects} in the transactions lane"

    @property
    def origin(self) -> str:
        """When and on what it was measured, in a few words."""
        commit = f"commit {self.commit}" if self.commit else "commit unknown"
        return f"{self.date}, {commit}{' with uncommitted changes' if self.modified else ''}"


GROUPS = ("machine", "interleaving", "system", "defects")
"""What holds digests; certificates from before the transactions lane have no ``interleaving``."""


def dumps(certificate: Certificate) -> str:
    """As JSON, a source a line."""
    written = figures(certificate)
    for group in GROUPS:
        written[group] = {name: " ".join(digest) for name, digest in getattr(certificate, group).items()}
    return json.dumps(written, indent=1) + "\n"


def figures(certificate: Certificate) -> dict[str, object]:
    """All but the digests, for JSON."""
    counted = certificate.transactions
    found = {name: value for name, value in certificate._asdict().items() if name not in GROUPS}
    return {**found, "transactions": counted and counted._asdict()}


def loads(text: str) -> Certificate:
    """Raises ``ValueError`` for a text that is no certificate."""
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
    """The line for a run's header.  ``defects`` are the names that the binding has now."""
    try:
        certificate = loads(kept.read_text("utf-8"))
    except FileNotFoundError:
        return "certificate: none yet; python -m statemachine certificate makes one"
    except (OSError, ValueError) as error:
        return f"certificate: {kept} cannot be read ({error}); python -m statemachine certificate makes one"
    own = binding_path == certificate.binding
    whose = "" if own else " of the bundled system"
    since = _changes(certificate, defects, own)
    return (
        f"certificate: {certificate.counts(whose)} on {certificate.seeds} of {certificate.seeds} seeds "
        f"({DOCUMENT}, {certificate.origin})"
        f"{'; ' if since else ''}{since}"
    )


def _changes(certificate: Certificate, defects: Collection[str], own: bool) -> str:
    """What has changed since, worst first; of the system and its defects only when they are ``own``."""
    if _modules_changed(certificate.machine):
        return "machine or invariants changed since"
    changes = [_changes_of_the_system(certificate, defects)] if own else []
    changes += ["transactions lane changed since"] if _modules_changed(certificate.interleaving) else []
    return "; ".join(change for change in changes if change)


def _modules_changed(before: Digests) -> bool:
    return _any_changed({name: sources.module_file(name) for name in before}, before)


def _changes_of_the_system(certificate: Certificate, defects: Collection[str]) -> str:
    system, planted = sources.system_files(certificate.binding, defects)
    if set(system) != set(certificate.system) or _any_changed(system, certificate.system):
        return "the system under test changed since"
    moved = [
        name
        for name, before in certificate.defects.items()
        if name not in planted or sources.changed(planted[name], before)
    ]
    moved += set(planted) - set(certificate.defects)
    return f"new, gone or changed since: {', '.join(sorted(moved))}" if moved else ""


def _any_changed(files: Mapping[str, Path | None], before: Digests) -> bool:
    return any(sources.changed(files[name], digest) for name, digest in before.items())
