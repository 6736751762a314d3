"""Which hunts a certificate is made of, in their order, and which of them are one shard's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from statemachine.certificate import sources
from statemachine.certificate.catalogue import EMBEDDED, Planted
from statemachine.certificate.findings import Findings
from statemachine.certificate.hunt import PLAIN, SEARCH, Finding, Hunt
from statemachine.certificate.rows import Row
from statemachine.certificate.sources import Digest, combined


class Measured(NamedTuple):
    """Digests of what is measured: the machine, the plain machine, the system, and each defect's own."""

    machine: Mapping[str, Digest]
    plain: Mapping[str, Digest]
    system: Mapping[str, Digest]
    defects: Mapping[str, Digest]
    files: Sequence[Path]

    def fingerprint(self, method: str, defect: str) -> str:
        """What decides the findings of one defect: other defects may change without any effect."""
        player = self.machine if method == SEARCH else {**self.machine, **self.plain}
        own = [self.defects[defect]] if defect in self.defects else []
        return combined([*player.values(), *self.system.values(), *own])


def measured_on(binding_path: str, defects: Collection[str]) -> Measured:
    """Digests of the sources as they are now; the files are listed with the system's own first."""
    machine, plain = sources.imported_by("embedded"), sources.imported_by("certificate.baseline")
    system, own = sources.system_files(binding_path, defects)
    return Measured(
        _digests(machine),
        _digests(plain),
        _digests(system),
        _digests(own),
        [*system.values(), *own.values(), *plain.values()],
    )


def _digests(files: Mapping[str, Path]) -> dict[str, Digest]:
    return {name: sources.digest(path) for name, path in files.items()}


class Plan(NamedTuple):
    """``seeds`` by method; defects of other lanes are listed and not hunted."""

    binding: str
    planted: Sequence[Planted]
    seeds: Mapping[str, range]
    examples: int
    measured: Measured

    def hunts(self) -> list[Hunt]:
        """All hunts, those of the machine first: an interrupted measurement has what counts most."""
        return [
            hunt
            for method in (SEARCH, PLAIN)
            for planted in self.planted
            if planted.lane == EMBEDDED
            for hunt in self.of(planted, method)
        ]

    def of(self, planted: Planted, method: str) -> list[Hunt]:
        fingerprint = self.measured.fingerprint(method, planted.name)
        return [
            Hunt(self.binding, method, planted.name, seed, self.examples, fingerprint)
            for seed in self.seeds[method]
        ]

    def rows(self, findings: Findings) -> list[Row]:
        """A row for each defect, of what has been found out so far."""

        def found(planted: Planted, method: str) -> list[Finding]:
            hunts = self.of(planted, method) if planted.lane == EMBEDDED else []
            return [findings.by_hunt[hunt] for hunt in hunts if hunt in findings.by_hunt]

        return [Row(planted, found(planted, SEARCH), found(planted, PLAIN)) for planted in self.planted]
