"""What examples came to, as one value that adds up.

A search in a worker process, the run that it belongs to, ``run.json`` and the sum of several machines carry
the same value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from statemachine.invariants import Crashed


@dataclass
class Tally:
    """Counts of examples that were played on one system."""

    examples: int = 0
    """Examples that were begun."""
    steps: int = 0
    seconds: float = 0
    """Real seconds that they took."""
    met: Counter[str] = field(default_factory=Counter)
    """How often each situation came about, by cell (``history/reach.py``)."""
    judged: Counter[str] = field(default_factory=Counter)
    """How often each claim was judged, by name."""
    crashed: list[Crashed] = field(default_factory=list)
    """Claims that raised an exception in place of judging."""
    lost: list[str] = field(default_factory=list)
    """Why searches came to no result, a reason each."""

    def add(self, other: Tally) -> None:
        """Add what other examples of the same system came to."""
        self.examples += other.examples
        self.steps += other.steps
        self.seconds += other.seconds
        self.met.update(other.met)
        self.judged.update(other.judged)
        self.crashed += other.crashed
        self.lost += other.lost
