"""Which entries of a corpus are worth keeping: few, but such that they meet what all of them met."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Set
from typing import TypeVar

from statemachine.history.situation_pairs import Pair
from statemachine.search.corpus.entries import Entry, EntryKind

Name = TypeVar("Name", bound=Hashable)

KEPT = 256
"""Entries of each kind: they are played again in some ten seconds."""


class Selection:
    """Entries with what they met when they were played, to choose among them."""

    def __init__(self) -> None:
        self._met: dict[str, tuple[Entry, Set[Pair]]] = {}
        self._mended: dict[str, Entry] = {}

    def add(self, entry: Entry, met: Set[Pair], *, fails: bool = False) -> None:
        """One more; one that fails is never needless."""
        if fails:
            return
        if entry.kind is EntryKind.SITUATIONS:
            self._met[entry.name] = entry, met
        else:
            self._mended[entry.name] = entry

    def chosen(self) -> list[Entry]:
        """The entries that met rare situations and are to be kept."""
        met = {name: met for name, (_, met) in self._met.items()}
        return [self._met[name][0] for name in cover(met, KEPT)]

    def needless(self) -> Iterator[Entry]:
        """All others, and of the failures that were mended those beyond the first ones that were added."""
        kept = {entry.name for entry in self.chosen()}
        yield from (entry for name, (entry, _) in self._met.items() if name not in kept)
        yield from list(self._mended.values())[KEPT:]


def cover(met: Mapping[Name, Set[Hashable]], limit: int) -> list[Name]:
    """At most ``limit`` of the names: each time the one that adds most to what the others have met.

    A name that adds nothing is left out.  Greedy, so not the fewest possible; of equal ones the first.
    """
    left = {name: set(what) for name, what in met.items()}
    chosen: list[Name] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda name: len(left[name]))
        gained = left.pop(best)
        if not gained:
            break
        chosen.append(best)
        for what in left.values():
            what -= gained
    return chosen
