"""Do the hunts that are not done yet, several at a time, and print the progress.

Hunts of the transactions lane share one server, and each has a new database there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import NamedTuple

from statemachine.commands.certificate.hunt import (
    INTERLEAVED,
    PLAIN,
    SEARCH,
    Dealt,
    Hunt,
    HuntResult,
    HuntResults,
    hunt,
)
from statemachine.report.console import say
from statemachine.search.pool import run_tasks
from statemachine.world.databases.for_tasks import TaskDatabases, databases_for_tasks

_HOW = {SEARCH: "", PLAIN: "plain machine: ", INTERLEAVED: "transactions lane: "}


class Share(NamedTuple):
    """What ``--shard`` asks for: the ``number``-th of equal ``parts`` of a measurement, counted from 1."""

    number: int = 1
    parts: int = 1

    def of(self, hunts: Sequence[Hunt]) -> Sequence[Hunt]:
        """Return every ``parts``-th hunt, so that all shards take about as long."""
        return hunts[self.number - 1 :: self.parts]


def measure(hunts: Sequence[Hunt], results: HuntResults, jobs: int, server: str | None) -> bool:
    """Do the hunts without a result, ``jobs`` at a time, and add their results.

    Return False when interrupted.  ``server`` is the URL of the PostgreSQL for interleaved hunts, None for a
    private one.  Raise :class:`~statemachine.world.databases.safety.Refused` when it cannot be used.
    """
    waiting = [one for one in hunts if one not in results.by_hunt]
    if not waiting:
        return True
    try:
        with ExitStack() as stack:
            databases = None
            if any(one.method == INTERLEAVED for one in waiting):
                databases = stack.enter_context(databases_for_tasks(server, jobs))
            say(f"{len(waiting)} of {len(hunts)} searches to do, {jobs} at a time")
            progress = _Progress(waiting)
            dealt = (_dealt(one, databases) for one in waiting)
            for found in stack.enter_context(closing(run_tasks(hunt, lambda: next(dealt, None), jobs))):
                if found is not None:
                    results.add(found)
                    if databases is not None:
                        databases.done(found.hunt)
                progress(found)
    except KeyboardInterrupt:
        return False
    return True


def _dealt(one: Hunt, databases: TaskDatabases | None) -> Dealt:
    if databases is None or one.method != INTERLEAVED:
        return Dealt(one)
    return Dealt(one, databases.make(one), databases.version)


class _Progress:
    """Prints a line when a defect is done, and one that says so when no hunt has ended for 30 s."""

    def __init__(self, waiting: Sequence[Hunt]) -> None:
        self.all = len(waiting)
        self.left = Counter((one.method, one.defect) for one in waiting)
        self.found: Counter[tuple[str, str]] = Counter()
        self.asked = Counter(self.left)

    def __call__(self, found: HuntResult | None) -> None:
        if found is None:
            say(f"  {self._done()}: still searching")
            return
        key = (found.hunt.method, found.hunt.defect)
        self.left[key] -= 1
        self.found[key] += found.invariant is not None
        if not self.left[key]:
            how = f"{_HOW[key[0]]}{key[1]}"
            say(f"  {self._done()}: {how} found on {self.found[key]} of {self.asked[key]} seeds")

    def _done(self) -> str:
        return f"{self.all - self.left.total():5} of {self.all}"
