"""Plays every interleaving of two operations on one job, one after the other: nothing is sampled.

In each situation in which both are possible they begin, are stopped before their first statements, and then
each order of their statements is played once, with a drain at its end.  No fault strikes.  These situations
are exhausted; other situations, other operations and three operations at once were not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from statemachine.search.control import SearchControl
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.figures import (
    CorpusFigures,
    Exhausted,
    InSchedule,
    ScheduleFigures,
    StrategyFigures,
)
from statemachine.search.findings import Finding
from statemachine.search.lanes import LaneKind
from statemachine.search.run import Run
from statemachine.search.tally import Part
from statemachine.search.triage.failure import Failure
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import OPERATIONS, STEPWISE, NotPossible, Offer, perform
from statemachine.world.operations.drain import drain

MOST = 20_000
"""Schedules of one situation that are played at most: they take more than an hour."""

INTERLEAVED = tuple(
    name
    for name, operation in OPERATIONS.items()
    if operation.made_by and name not in ("receive", "duplicate", "extend", "acknowledge", "stray", "create")
)
"""Operations that can be interleaved: they make calls that write to a job that exists already."""


Steps = tuple[tuple[str, dict[str, Any]], ...]

JOB = "j1"

_CREATED: Steps = (("create", {"job": JOB}),)
_SENT: Steps = (*_CREATED, ("publish", {"job": JOB}))
_WITH_TWO: Steps = (
    *_SENT,
    ("receive", {"worker": "A", "message": "m2"}),
    ("duplicate", {"worker": "B", "message": "m2"}),
)
# A third delivery, so that two workers can ask for the job that the first one has.
_RUNNING: Steps = (*_WITH_TWO, ("duplicate", {"worker": "C", "message": "m2"}), ("prepare", {"worker": "A"}))
_LEASE_ENDS = ("advance_to", {"deadline": "lease", "of": JOB, "offset": 0})
_EXPIRED: Steps = (*_RUNNING, _LEASE_ENDS)

SCENES: Mapping[str, Steps] = {
    "just created": _CREATED,
    "created, and due for the sweep": (
        *_CREATED,
        ("advance_to", {"deadline": "recovery", "of": JOB, "offset": 0}),
    ),
    "PENDING": _WITH_TWO,
    "RUNNING, lease live": _RUNNING,
    "RUNNING, lease expired": _EXPIRED,
    "taken over, both holders at work": (*_EXPIRED, ("prepare", {"worker": "B"})),
    "RETRYING": (*_RUNNING, ("release", {"worker": "A"})),
    "terminal": (*_RUNNING, ("complete", {"worker": "A"})),
}
"""Situations of the job in which two operations can meet, each as the steps that lead to it.

All are tried; a pair that is not possible in one of them is possible in another.  The job is the first
tenant's.  Steps are numbered from 1 by their places: what step 2 creates is called j2 or m2.
"""


class NeverBoth(ValueError):
    """There is no situation in which both operations are possible; the message names them."""


class Exhaustion:
    """The search strategy that plays all schedules of two operations, ``pair``, by name."""

    def __init__(
        self,
        lane: Lane,
        corpus: Corpus,
        pair: tuple[str, str],
        tick: Callable[[SearchControl], None],
        kind: LaneKind,
    ) -> None:
        self.lane = lane
        self.corpus = corpus
        self.pair = pair
        self.total = Run(lane, kind.reach_of, judges_reach_from=MOST * len(SCENES), judges_claims=False)
        self.control = SearchControl(self.total, tick)
        self.interrupted = False
        self.played: list[Exhausted] = []

    def run(self) -> None:
        """Play all schedules of all situations.  Raise :class:`NeverBoth`."""
        with self.total.spending(Part.SEARCH):
            for situation, steps in SCENES.items():
                seen = self._exhaust(situation, steps)
                if seen is not None:
                    self.played.append(seen)
        if not self.played:
            raise NeverBoth(
                f"--exhaust {','.join(self.pair)}: there is no situation in which both are possible on one "
                "job; name two that can meet, prepare,prepare say"
            )
        self.total.tally.lost += [
            f"{seen.situation}: more than {MOST} schedules, not exhausted"
            for seen in self.played
            if not seen.whole
        ]
        self.total.finished = True

    def figures(self) -> Sequence[StrategyFigures]:
        return [
            ScheduleFigures(self.pair, self.played),
            CorpusFigures(str(self.corpus.place), 0, self.corpus.notes),
        ]

    def _exhaust(self, situation: str, steps: Steps) -> Exhausted | None:
        """Play all schedules of one situation; return None where the two operations are not possible."""
        schedules = broken = 0
        for example in self._every_order(steps):
            if example is None or schedules == MOST:
                self.total.tally.examples -= 1  # begun, and no schedule that was played
            if example is None:
                return None
            if schedules == MOST:
                return Exhausted(situation, schedules, broken, whole=False)
            schedules += 1
            failure = Failure.of(example)
            self.control.end_example(example)
            self.control.tick(self.control)
            if failure is not None:
                broken += 1
                self._keep(failure, situation, schedules)
        return Exhausted(situation, schedules, broken, whole=True)

    def _keep(self, failure: Failure, situation: str, schedules: int) -> None:
        origin = InSchedule(schedules, self.pair, situation)
        if self.total.findings.add(Finding(failure, origin, len(failure.steps))):
            self.corpus.add(EntryKind.FAILURES, failure.events)

    def _every_order(self, steps: Steps) -> Iterator[Example | None]:
        """Yield an example for each order, depth first: each differs from the one before in its last choice.

        Every order is played from an empty database, since committed rows cannot be taken back to an earlier
        choice.  No orders are left out as equivalent (partial-order reduction): whether two statements
        commute depends on the rows that they find.

        Yields None when the two operations are not possible.
        """
        prefix: list[int] = []
        while True:
            example = self.control.begin_example()
            if not self._begin_both(example, steps):
                yield None
                return
            choices = _play_out(example, prefix)
            yield example
            while choices and choices[-1][0] + 1 == choices[-1][1]:
                choices.pop()
            if not choices:
                return
            prefix = [*(chosen for chosen, _ in choices[:-1]), choices[-1][0] + 1]

    def _begin_both(self, example: Example, steps: Steps) -> bool:
        try:
            for operation, arguments in steps:
                owner = {"tenant": example.binding.tenants[0]} if operation == "create" else {}
                perform(example, operation, {**arguments, **owner})
        except NotPossible:
            return False
        for name in self.pair:
            offer = next(_about_the_job(example, name), None)
            if offer is None:
                return False
            perform(example, offer.operation, {**offer.undisturbed, STEPWISE: True})
        return True


def _about_the_job(example: Example, name: str) -> Iterator[Offer]:
    """Yield the offers of an operation that are about the job of the situation."""
    for offer in OPERATIONS[name].offers(example):
        arguments = offer.undisturbed
        slot = example.workers.get(str(arguments.get("worker")))
        job = slot.job if slot is not None else arguments.get("job", JOB)
        if job == JOB and not arguments.get("foreign"):
            yield offer


def _play_out(example: Example, prefix: list[int]) -> list[tuple[int, int]]:
    """Resume both until they end, first by the choices of ``prefix``, then always the first that is free.

    Return for each choice which operation was resumed, of how many that wait for no lock.
    """
    choices: list[tuple[int, int]] = []
    # A broken claim ends the schedule: all orders that begin like this one count as one.
    while example.in_flight and not example.judge.violations:
        free = [flying for flying in example.in_flight.values() if not flying.blocked_by]
        chosen = prefix[len(choices)] if len(choices) < len(prefix) else 0
        choices.append((chosen, len(free)))
        perform(example, "proceed", {"by": free[chosen].by, "statement": free[chosen].statement})
    if not example.judge.violations:
        drain(example)
    return choices
