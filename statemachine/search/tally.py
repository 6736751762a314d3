"""What examples came to, as one value that adds up.

A search in a worker process, the run that it belongs to, ``run.json`` and the sum of several machines carry
the same value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from statemachine.invariants import Crashed


class Part(StrEnum):
    """What a run spends its time on; text, for it stands in ``run.json``."""

    CORPUS = "corpus"
    """Playing the histories of the corpus again."""
    SEARCH = "search"
    """Playing the examples and steps that are counted."""
    FAILURES = "failures"
    """Minimising, explaining and reporting what was found."""


@dataclass
class Tally:
    """Counts of examples that were played on one system."""

    examples: int = 0
    """Examples that were begun."""
    steps: int = 0
    seconds: float = 0
    """Real seconds of the whole run: all of its parts, and what lies between them."""
    met: Counter[str] = field(default_factory=Counter)
    """How often each situation came about, by cell (``history/reach.py``)."""
    judged: Counter[str] = field(default_factory=Counter)
    """How often each claim was judged, by name."""
    crashed: list[Crashed] = field(default_factory=list)
    """Claims that raised an exception in place of judging."""
    lost: list[str] = field(default_factory=list)
    """Why searches came to no result, a reason each."""
    spent: dict[str, float] = field(default_factory=dict)
    """Real seconds by :class:`Part`."""

    @property
    def steps_a_second(self) -> float:
        """Steps by the seconds in which they were played; 0 where none were."""
        searching = self.spent.get(Part.SEARCH)
        return self.steps / searching if searching else 0

    def add(self, other: Tally) -> None:
        """Add what other examples of the same system came to."""
        self.examples += other.examples
        self.steps += other.steps
        self.seconds += other.seconds
        for part, seconds in other.spent.items():
            self.spent[part] = self.spent.get(part, 0) + seconds
        self.met.update(other.met)
        self.judged.update(other.judged)
        self.crashed += other.crashed
        self.lost += other.lost
