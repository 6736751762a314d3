"""Figures that a search leaves for its report: sentences are made of them in ``report/``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from statemachine.invariants import Crashed


class InSearch(NamedTuple):
    """A failure was found by a search."""

    examples: int
    """Examples that had been begun by then, in all searches of the run."""
    seconds: float | None = None
    """Real seconds that the run had taken by then."""
    seed: int | None = None
    """Of the search, where the run has many."""


class InCorpus(NamedTuple):
    """A failure was found by playing an entry of the corpus at ``place`` again."""

    place: str


class InSchedule(NamedTuple):
    """A failure was found in one order of two operations' statements."""

    number: int
    """The number of the schedule among those of its situation, from 1."""
    pair: tuple[str, str]
    situation: str


Origin = InSearch | InCorpus | InSchedule


class CorpusFigures(NamedTuple):
    """What a run did with its corpus."""

    place: str
    replayed: int
    """Entries that were played again."""
    notes: Sequence[str]
    """What went wrong with it, a sentence each."""
    holds: int | None = None
    """Entries that it has at the end, where that is worth saying."""


class FuzzFigures(NamedTuple):
    """What a run by time came to."""

    seconds: float
    processes: int
    pairs: int
    """Pairs of situations that were met (``history/situation_pairs.py``)."""
    last_new: float
    """Seconds from the start until the last new one."""


class Exhausted(NamedTuple):
    """One situation of two operations."""

    situation: str
    schedules: int
    broken: int
    """How many of the schedules break a claim."""
    whole: bool
    """Whether all of them were played."""


class ScheduleFigures(NamedTuple):
    """All situations in which two operations were exhausted."""

    pair: tuple[str, str]
    situations: Sequence[Exhausted]


StrategyFigures = CorpusFigures | FuzzFigures | ScheduleFigures


class Doubts(NamedTuple):
    """Why a run cannot say PASS although nothing was broken; true when there is any reason."""

    interrupted: bool = False
    lost: Sequence[str] = ()
    """Why searches came to no result, a reason each."""
    nothing_played: bool = False
    crashed: Sequence[Crashed] = ()
    met_unreachable: Sequence[tuple[str, int]] = ()
    """Situations that the binding says are unreachable, with how often they came about."""
    missed: Sequence[str] = ()
    """Required situations that never came about."""
    never_judged: Sequence[str] = ()
    """Claims, by name."""

    def __bool__(self) -> bool:
        return any(self)
