"""The results of each defect as a row of the table, and the goals that it misses."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from statemachine.commands.certificate.catalogue import EMBEDDED, TRANSACTIONS, Planted
from statemachine.commands.certificate.hunt import HuntResult


class Goals(NamedTuple):
    """The goals of a lane, besides finding each defect on every seed by the invariant of its story."""

    longer_than_by_hand: int
    """Steps by which a shrunk history may be longer than the one written by hand."""
    median_seconds: float | None
    """Seconds below which the median of the searches must lie; None for no such goal."""


GOALS: Mapping[str, Goals] = {EMBEDDED: Goals(1, 5), TRANSACTIONS: Goals(2, None)}
"""By lane.  An interleaved history has a step for each statement, so one more may be superfluous."""
_NUMBERS = {1: "one", 2: "two"}


class Row(NamedTuple):
    """One defect with the results of its hunts, one for each seed."""

    planted: Planted
    searched: Sequence[HuntResult] = ()
    """Those of the machine."""
    plain: Sequence[HuntResult] = ()
    """Those of the baseline."""

    @property
    def hits(self) -> list[HuntResult]:
        """The results that found something."""
        return [found for found in self.searched if found.invariant]

    @property
    def played(self) -> bool:
        """Whether the defect has a row in a table; outside of the embedded lane only if it was hunted."""
        return self.planted.lane == EMBEDDED or bool(self.searched)

    @property
    def always_found(self) -> bool:
        return bool(self.searched) and len(self.hits) == len(self.searched)

    @property
    def by_others(self) -> Counter[str]:
        """How often it was caught by invariants other than the one that its story names."""
        caught = (found.invariant for found in self.hits)
        return Counter(name for name in caught if name and name != self.planted.invariant)


def misses(row: Row) -> Iterator[str]:
    """Yield a sentence for each goal that the defect misses."""
    name, by_hand = row.planted.name, row.planted.by_hand
    if not row.played:
        return
    goals = GOALS[row.planted.lane]
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
    for found in row.hits:
        if found.unstable:
            yield (
                f"`{name}` did not repeat on seed {found.hunt.seed}, and was not shrunk there: the same "
                "steps had another outcome."
            )
    if not row.hits:
        return
    median = statistics.median(found.seconds for found in row.hits)
    if goals.median_seconds is not None and median >= goals.median_seconds:
        yield f"`{name}` takes {median:.1f} s in the median; the goal is under {goals.median_seconds} s."
    if by_hand is None:
        yield f"`{name}` has no history written by hand to compare its length with."
        return
    shrunk = [found for found in row.hits if not found.unstable]
    longest = max(shrunk, key=lambda found: found.shrunk, default=None)
    if longest is not None and longest.shrunk > by_hand + goals.longer_than_by_hand:
        yield (
            f"`{name}` is shrunk to {longest.shrunk} steps on seed {longest.hunt.seed}; by hand it takes "
            f"{by_hand}, and the goal is {_NUMBERS[goals.longer_than_by_hand]} more at most."
        )
