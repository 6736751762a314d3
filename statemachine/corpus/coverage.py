"""Which entries are worth keeping: few, but such that together they meet what all of them met."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def cover(met: Mapping[Name, Set[Hashable]], limit: int) -> list[Name]:
    """At most ``limit`` of the names: each time the one that adds most to what the others have met.

    An entry that adds nothing is left out.  Greedy, so not the fewest possible; of equal ones the first.
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
