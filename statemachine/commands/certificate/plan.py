"""The hunts that a certificate is made of, in their order, and the rows that their results make."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from statemachine.commands.certificate import sources
from statemachine.commands.certificate.catalogue import EMBEDDED, TRANSACTIONS, Planted
from statemachine.commands.certificate.hunt import INTERLEAVED, PLAIN, SEARCH, Hunt, HuntResult, HuntResults
from statemachine.commands.certificate.rows import Row
from statemachine.commands.certificate.sources import Digest, combined

METHODS_OF: Mapping[str, Sequence[str]] = {EMBEDDED: (SEARCH, PLAIN), TRANSACTIONS: (INTERLEAVED,)}
"""The methods of a lane, the one whose figures its table shows first.  Other lanes are not measured."""


class Measured(NamedTuple):
    """Digests of the sources that decide what is found."""

    machine: Mapping[str, Digest]
    """The search, the world and the invariants, by module."""
    plain: Mapping[str, Digest]
    """The baseline, with all that it imports."""
    interleaving: Mapping[str, Digest]
    """What only the transactions lane uses."""
    system: Mapping[str, Digest]
    """The system under test, by path in its package."""
    defects: Mapping[str, Digest]
    """Each planted defect, by name."""
    files: Sequence[Path]
    """All of these files, the system's first."""

    def fingerprint(self, method: str, defect: str) -> str:
        """Return one digest of what decides the results of one defect, without the other defects."""
        further: Mapping[str, Mapping[str, Digest]] = {PLAIN: self.plain, INTERLEAVED: self.interleaving}
        player = {**self.machine, **further.get(method, {})}
        own = [self.defects[defect]] if defect in self.defects else []
        return combined([*player.values(), *self.system.values(), *own])


def measured_on(binding_path: str, defects: Collection[str]) -> Measured:
    """Return the digests of the sources as they are now."""
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


class HuntPlan(NamedTuple):
    """Which defects are searched for, with which seeds, and how long."""

    binding: str
    planted: Sequence[Planted]
    seeds: Mapping[str, range]
    """By method."""
    examples: Mapping[str, int]
    """Examples of one search at most, by method."""
    measured: Measured

    def hunts(self, unplayed: Collection[str] = ()) -> list[Hunt]:
        """Return all hunts but those of the lanes ``unplayed``.

        The baseline comes last, so that an interrupted measurement has the figures that count most.
        """
        return [
            hunt
            for method in (SEARCH, INTERLEAVED, PLAIN)
            for planted in self.planted
            if method in METHODS_OF.get(planted.lane, ()) and planted.lane not in unplayed
            for hunt in self.of(planted, method)
        ]

    def of(self, planted: Planted, method: str) -> list[Hunt]:
        """Return the hunts for one defect by one method, one for each seed."""
        fingerprint = self.measured.fingerprint(method, planted.name)
        return [
            Hunt(self.binding, method, planted.name, seed, self.examples[method], fingerprint)
            for seed in self.seeds[method]
        ]

    def rows(self, results: HuntResults, unplayed: Collection[str] = ()) -> list[Row]:
        """Return a row for each defect with the results so far, and with none in the lanes ``unplayed``."""

        def found(planted: Planted) -> Iterator[list[HuntResult]]:
            for method in METHODS_OF.get(planted.lane, ()):
                hunts = self.of(planted, method) if planted.lane not in unplayed else []
                yield [results.by_hunt[hunt] for hunt in hunts if hunt in results.by_hunt]

        return [Row(planted, *found(planted)) for planted in self.planted]
