"""Chooses the entries of a corpus that are worth keeping: few that together meet what all of them met."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Set
from typing import TypeVar

from statemachine.history.situation_pairs import Pair
from statemachine.search.corpus.entries import Entry, EntryKind

Name = TypeVar("Name", bound=Hashable)

KEPT = 256
"""Entries of each kind: 256 are played again in about ten seconds."""


class Selection:
    """Collects entries with the pairs of situations that they met, and chooses among them."""

    def __init__(self) -> None:
        # By name and in the order in which they were added: the same entry may come from several places,
        # and the choice must be the same in every run.
        self._met: dict[str, tuple[Entry, Set[Pair]]] = {}
        self._mended: dict[str, Entry] = {}

    def add(self, entry: Entry, met: Set[Pair], *, fails: bool = False) -> None:
        """Add one; one that fails is never needless."""
        if fails:
            return  # not even a candidate: an open failure must be played in every run, whatever it costs
        if entry.kind is EntryKind.SITUATIONS:
            self._met[entry.name] = entry, met
        else:
            self._mended[entry.name] = entry

    def chosen(self) -> list[Entry]:
        """Return the entries to keep for the situations that they met."""
        met = {name: met for name, (_, met) in self._met.items()}
        return [self._met[name][0] for name in cover(met, KEPT)]

    def needless(self) -> Iterator[Entry]:
        """Yield all others, and of the failures that are mended by now all but the first that were added."""
        kept = {entry.name for entry in self.chosen()}
        yield from (entry for name, (entry, _) in self._met.items() if name not in kept)
        # A mended failure guards against the same bug, so it stays as long as there is room.  A corpus gives
        # its entries shortest first, so of each corpus the longest go.
        yield from list(self._mended.values())[KEPT:]


def cover(met: Mapping[Name, Set[Hashable]], limit: int) -> list[Name]:
    """Return at most ``limit`` of the names: each time the one that adds most to what the others have met.

    A name that adds nothing is left out; of equal ones the first is taken.  Greedy, so the choice is not
    always the smallest possible.
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
