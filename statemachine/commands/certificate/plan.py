"""Which hunts a certificate is made of, in their order, and which of them are one shard's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from statemachine.commands.certificate import sources
from statemachine.commands.certificate.catalogue import EMBEDDED, TRANSACTIONS, Planted
from statemachine.commands.certificate.findings import Findings
from statemachine.commands.certificate.hunt import INTERLEAVED, PLAIN, SEARCH, Finding, Hunt
from statemachine.commands.certificate.rows import Row
from statemachine.commands.certificate.sources import Digest, combined

METHODS_OF: Mapping[str, Sequence[str]] = {EMBEDDED: (SEARCH, PLAIN), TRANSACTIONS: (INTERLEAVED,)}
"""How the defects of a lane are hunted, with the figures of its table first; those of other lanes are not."""


class Measured(NamedTuple):
    """Digests of what is measured: the machine, the plain machine, the system, and each defect's own.

    ``interleaving`` is the transactions lane: the machine of the embedded lane does not depend on it.
    """

    machine: Mapping[str, Digest]
    plain: Mapping[str, Digest]
    interleaving: Mapping[str, Digest]
    system: Mapping[str, Digest]
    defects: Mapping[str, Digest]
    files: Sequence[Path]

    def fingerprint(self, method: str, defect: str) -> str:
        """What decides the findings of one defect: other defects may change without any effect."""
        further: Mapping[str, Mapping[str, Digest]] = {PLAIN: self.plain, INTERLEAVED: self.interleaving}
        player = {**self.machine, **further.get(method, {})}
        own = [self.defects[defect]] if defect in self.defects else []
        return combined([*player.values(), *self.system.values(), *own])


def measured_on(binding_path: str, defects: Collection[str]) -> Measured:
    """Digests of the sources as they are now; the files are listed with the system's own first."""
    machine, plain = (
        sources.imported_by("search.engine"),
        sources.imported_by("commands.certificate.baseline"),
    )
    lane = {**sources.imported_by("search.lanes"), **sources.imported_by("world.transactions.lane")}
    interleaving = {name: path for name, path in lane.items() if name not in machine}
    system, own = sources.system_files(binding_path, defects)
    return Measured(
        _digests(machine),
        _digests(plain),
        _digests(interleaving),
        _digests(system),
        _digests(own),
        [*system.values(), *own.values(), *plain.values(), *interleaving.values()],
    )


def _digests(files: Mapping[str, Path]) -> dict[str, Digest]:
    return {name: sources.digest(path) for name, path in files.items()}


class Plan(NamedTuple):
    """``seeds`` and ``examples`` by method; defects of lanes that have none are listed and not hunted."""

    binding: str
    planted: Sequence[Planted]
    seeds: Mapping[str, range]
    examples: Mapping[str, int]
    measured: Measured

    def hunts(self, unplayed: Collection[str] = ()) -> list[Hunt]:
        """All hunts, those of the machines first: an interrupted measurement has what counts most.

        Without those of the lanes ``unplayed``.
        """
        return [
            hunt
            for method in (SEARCH, INTERLEAVED, PLAIN)
            for planted in self.planted
            if method in METHODS_OF.get(planted.lane, ()) and planted.lane not in unplayed
            for hunt in self.of(planted, method)
        ]

    def of(self, planted: Planted, method: str) -> list[Hunt]:
        fingerprint = self.measured.fingerprint(method, planted.name)
        return [
            Hunt(self.binding, method, planted.name, seed, self.examples[method], fingerprint)
            for seed in self.seeds[method]
        ]

    def rows(self, findings: Findings, unplayed: Collection[str] = ()) -> list[Row]:
        """A row for each defect, of what has been found out so far; nothing of the lanes ``unplayed``."""

        def found(planted: Planted) -> Iterator[list[Finding]]:
            for method in METHODS_OF.get(planted.lane, ()):
                hunts = self.of(planted, method) if planted.lane not in unplayed else []
                yield [findings.by_hunt[hunt] for hunt in hunts if hunt in findings.by_hunt]

        return [Row(planted, *found(planted)) for planted in self.planted]
