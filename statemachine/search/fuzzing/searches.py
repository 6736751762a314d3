"""One search in a process of its own: short, so that little is lost when it is cut off.

The process keeps its database and its frozen clock from one search to the next.  A search ends at its first
failure with a new signature; a failure that is known already is counted, and the search goes on.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from functools import cache
from typing import NamedTuple, Protocol

from statemachine.history.events import StepBegan
from statemachine.history.situation_pairs import Pair, PairedReach
from statemachine.search.accepted import Known
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, register_profiles, sized
from statemachine.search.machine import JobMachine
from statemachine.search.run import Run
from statemachine.search.tally import Tally
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Signature
from statemachine.world import outside
from statemachine.world.databases.opening import open_lane
from statemachine.world.example import Example
from statemachine.world.hangs import WATCH
from statemachine.world.lane import Lane


class StopFlag(Protocol):
    """A number in memory that all processes share: 1 ends all searches under way at their next steps."""

    value: int


class Size(NamedTuple):
    """How long a search is."""

    examples: int
    steps: int


class System(NamedTuple):
    """The system under test, as another process can open it."""

    binding: str
    defect: str | None
    clock_skew_seconds: int
    hang_seconds: int = 60
    """How long a step may take by the real clock; 0 for any time."""
    allowed: frozenset[str] = frozenset()
    """What it may do outside of the run (``world/outside.py``)."""


class FuzzSearch(NamedTuple):
    """A task for a process of the pool."""

    system: System
    seed: int
    size: Size
    known: Known
    """Signatures of failures that are found already, or accepted."""
    again: bool = False
    """Whether a process has died of it before."""

    def __str__(self) -> str:
        return f"the search with seed {self.seed}"


class Met(NamedTuple):
    """An example that met pairs of situations which no earlier one of its process had met."""

    pairs: frozenset[Pair]
    steps: tuple[StepBegan, ...]


class Searched(NamedTuple):
    """What came of a search."""

    search: FuzzSearch
    tally: Tally
    failure: Failure | None = None
    unstable: str = ""
    met_again: Counter[Signature] = Counter()  # noqa: RUF012  never changed
    new: tuple[Met, ...] = ()
    """Examples that met new pairs of situations."""
    lost: str = ""
    """Why nothing came of it, when its process ended before it."""

    @classmethod
    def nothing(cls, search: FuzzSearch, reason: str) -> Searched:
        return cls(search, Tally(), lost=reason)


_seen: set[Pair] = set()
_open = ExitStack()


@cache
def _lane(system: System) -> Lane:
    register_profiles()
    WATCH.seconds, outside.allowed = system.hang_seconds, system.allowed
    return _open.enter_context(open_lane(system.binding, system.defect, system.clock_skew_seconds))


def search(stop: StopFlag, asked: FuzzSearch) -> Searched:
    """Play until all examples are played, something new is broken, or ``stop`` is set."""
    lane = _lane(asked.system)
    new: list[Met] = []
    reach = PairedReach(lane.binding.lifecycle)

    def ended(example: Example) -> None:
        fresh = frozenset(reach.pairs - _seen)
        if fresh:
            _seen.update(fresh)
            began = (event for event in example.events if isinstance(event, StepBegan))
            new.append(Met(fresh, tuple(event for event in began if not event.drain)))

    control = SearchControl(
        Run(lane, reach_of=lambda *_: reach),
        known=asked.known,
        asked_to_stop=lambda: bool(stop.value),
        most_examples=asked.size.examples,
        ended=ended,
    )
    play(control, asked.seed, JobMachine, sized(asked.size.examples, steps=asked.size.steps))
    return Searched(
        asked, control.run.tally, control.failure, control.unstable, control.met_again, tuple(new)
    )
