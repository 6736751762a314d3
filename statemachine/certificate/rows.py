"""What the findings say of each defect, and which goals it misses."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from statemachine.certificate.catalogue import EMBEDDED, Planted
from statemachine.certificate.hunt import Finding

MEDIAN_SECONDS = 5
LONGER_THAN_BY_HAND = 1


class Row(NamedTuple):
    """One defect with the findings of the machine and of the plain machine, a finding a seed."""

    planted: Planted
    searched: Sequence[Finding] = ()
    plain: Sequence[Finding] = ()

    @property
    def hits(self) -> list[Finding]:
        return [found for found in self.searched if found.invariant]

    @property
    def always_found(self) -> bool:
        return bool(self.searched) and len(self.hits) == len(self.searched)

    @property
    def by_others(self) -> Counter[str]:
        """Invariants that caught it and are not the one that its story names, with how often."""
        caught = (found.invariant for found in self.hits)
        return Counter(name for name in caught if name and name != self.planted.invariant)


def misses(row: Row) -> Iterator[str]:
    """The goals that one defect misses, a sentence each."""
    name, by_hand = row.planted.name, row.planted.by_hand
    if row.planted.lane != EMBEDDED:
        return
    unfound = [found.hunt.seed for found in row.searched if not found.invariant]
    if unfound or not row.searched:
        yield (
            f"`{name}` is found on {len(row.hits)} of {len(row.searched)} seeds; "
            f"not on {', '.join(map(str, unfound)) or 'any'}."
        )
    for other, times in sorted(row.by_others.items()):
        yield (
            f"`{name}` is caught by `{other}` on {times} of {len(row.searched)} seeds, "
            f"not by `{row.planted.invariant}`."
        )
    if not row.hits:
        return
    median = statistics.median(found.seconds for found in row.hits)
    if median >= MEDIAN_SECONDS:
        yield f"`{name}` takes {median:.1f} s in the median; the goal is under {MEDIAN_SECONDS} s."
    if by_hand is None:
        yield f"`{name}` has no history written by hand that its length could be held against."
        return
    longest = max(row.hits, key=lambda found: found.shrunk)
    if longest.shrunk > by_hand + LONGER_THAN_BY_HAND:
        yield (
            f"`{name}` is shrunk to {longest.shrunk} steps on seed {longest.hunt.seed}; by hand it takes "
            f"{by_hand}, and the goal is one more at most."
        )
