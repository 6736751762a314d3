"""The certificate that is kept with the sources, and the line in which every run cites it.

A run may not wait for it: only texts are compared, and a source is parsed only when its text has changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from statemachine.certificate import sources
from statemachine.certificate.sources import Digest

KEPT = Path(__file__).with_name("certificate.json")
DOCUMENT = "docs/certificate.md"

Digests = Mapping[str, Digest]


class Certificate(NamedTuple):
    """What was measured, and the digests of all sources that it was measured on.

    ``date`` is an ISO date, ``commit`` an abbreviated hash or empty; ``found`` of ``measured`` defects
    were found on all ``seeds``.
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

    @property
    def origin(self) -> str:
        """When and on what it was measured, in a few words."""
        commit = f"commit {self.commit}" if self.commit else "commit unknown"
        return f"{self.date}, {commit}{' with uncommitted changes' if self.modified else ''}"


_GROUPS = ("machine", "system", "defects")


def dumps(certificate: Certificate) -> str:
    """As JSON, a source a line."""
    written = certificate._asdict()
    for group in _GROUPS:
        written[group] = {name: " ".join(digest) for name, digest in written[group].items()}
    return json.dumps(written, indent=1) + "\n"


def loads(text: str) -> Certificate:
    """Raises ``ValueError`` for a text that is no certificate."""
    try:
        written = json.loads(text)
        groups = {
            group: {name: Digest(*digest.split()) for name, digest in written[group].items()}
            for group in _GROUPS
        }
        return Certificate(**{**written, **groups})
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
        f"certificate: {certificate.found} of {certificate.measured} defects{whose} on {certificate.seeds} "
        f"of {certificate.seeds} seeds ({DOCUMENT}, {certificate.origin})"
        f"{'; ' if since else ''}{since}"
    )


def _changes(certificate: Certificate, defects: Collection[str], own: bool) -> str:
    """What has changed since, worst first; of the system and its defects only when they are ``own``."""
    machine = {name: sources.module_file(name) for name in certificate.machine}
    if _any_changed(machine, certificate.machine):
        return "machine or invariants changed since"
    if not own:
        return ""
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
