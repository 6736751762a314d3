"""``python -m statemachine soak``: the correct system for as many steps as one likes, over many seeds.

A false alarm of an invariant shows itself in long runs of a system that is right.  Each search plays
like a run of the ``dev`` profile; what all of them met and judged is added up, and ends in one verdict.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from statemachine.binding import DEFAULT_BINDING
from statemachine.command import BROKEN, DONE, INTERRUPTED, Command, say, whole_number
from statemachine.embedded import LIMITS, PROFILES, register_profiles, search, so_many
from statemachine.explain import Why, explain
from statemachine.findings import Finding
from statemachine.lane import Lane
from statemachine.pool import side_by_side
from statemachine.report.paper import paper_for
from statemachine.report.summary import run_summary
from statemachine.reports import Reports
from statemachine.run import Failure, Run, Tally, Verdict
from statemachine.session import Session
from statemachine.standalone import load_here, open_lane
from statemachine.world.clock import real_seconds

FIRST_SEED = 1000
STEPS = 2_000_000
STEPS_AN_EXAMPLE = 60
"""About what an example plays, its drain included: how many examples a number of steps may need."""


class Search(NamedTuple):
    """One seed to be played in a worker process."""

    binding: str
    defect: str | None
    seed: int
    examples: int

    def __str__(self) -> str:
        return f"the search of --binding {self.binding} with seed {self.seed}"


class Played(NamedTuple):
    """What came of one search: the counts of its run, and what it broke."""

    search: Search
    tally: Tally
    failure: Failure | None
    why: Why | None
    unstable: str
    found_steps: int


def play(asked: Search) -> Played:
    """Search on an empty database, in this process.  Raises what opening the binding raises."""
    register_profiles()
    with open_lane(asked.binding, asked.defect) as lane:
        run = Run(lane)
        search(run, asked.seed, so_many(asked.examples))
        why = explain(lane, run.failure) if run.failure else None
    found_steps = len(run.first_failure.steps) if run.first_failure else 0
    return Played(asked, run.tally, run.failure, why, run.unstable, found_steps)


class Soak:
    """Deals out searches until enough steps are played, and adds up what comes of them."""

    def __init__(self, session: Session, steps: int, jobs: int) -> None:
        self.session = session
        self.jobs = jobs
        self.steps = steps
        self.next_seed = session.seed
        self.under_way: dict[int, Search] = {}
        self.searches = 0
        # The sum of many runs is a run: it is reported as one.
        self.total = Run(Lane(session.binding))

    def next_search(self) -> Search | None:
        """The next seed, with no more examples than are still needed; None when there are enough."""
        expected = sum(search.examples for search in self.under_way.values()) * STEPS_AN_EXAMPLE
        needed = self.steps - self.total.steps - expected
        if needed <= 0:
            return None
        free = max(self.jobs - len(self.under_way), 1)
        examples = min(PROFILES["dev"], math.ceil(needed / free / STEPS_AN_EXAMPLE))
        dealt = Search(self.session.binding_path, self.session.defect, self.next_seed, examples)
        self.under_way[dealt.seed] = dealt
        self.next_seed += 1
        return dealt

    def add(self, played: Played) -> None:
        """Take in the result of a search that was dealt out."""
        del self.under_way[played.search.seed]
        total = self.total
        total.add(played.tally)
        total.failure, total.unstable = played.failure, played.unstable
        total.stop()
        self.searches += 1

    @property
    def status(self) -> str:
        """How far it is, in a line."""
        total, (cell, count) = self.total, self.total.reach.rarest()
        speed = total.steps / max(real_seconds() - total.started, 0.001)
        return (
            f"  {total.steps:,} of {self.steps:,} steps, {speed:,.0f} steps/s, {total.examples:,} examples, "
            f"seeds done: {self.searches}; rarest: {cell} {count}"
        )

    def report(self, played: Played, failure: Failure) -> str:
        """The failure report; history and plain test are saved, unless that cannot be done."""
        looked_at = (
            f"Looked at {played.tally.examples} examples of seed {played.search.seed} until it was found"
        )
        found = Finding(
            failure, looked_at, played.found_steps, seed=played.search.seed, unstable=played.unstable
        )
        return Reports(self.session).of(found, self.total, played.why)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--steps", type=whole_number, default=STEPS, help="play at least so many (default: 2000000)")
    add("--first-seed", type=int, default=FIRST_SEED, metavar="N", help="the others follow (default: 1000)")
    add(
        "--jobs", type=whole_number, default=os.cpu_count() or 1, help="processes (default: a processor each)"
    )
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system under test")
    add("--defect", metavar="NAME", help="plant one of the binding's known bugs, to see it caught")


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 for PASS, 1 for FAIL and UNKNOWN, 130 when interrupted."""
    binding = load_here(asked.binding, asked.defect)
    session = Session(asked.binding, binding, asked.defect, asked.first_seed, 0, None, None)
    session.paper = paper_for(sys.stdout)
    soak = Soak(session, asked.steps, asked.jobs)
    interrupted = False
    with closing(side_by_side(play, soak.next_search, asked.jobs)) as results:
        try:
            for line in _told(soak, results):
                say(line)
            soak.total.finished = True
        except KeyboardInterrupt:
            interrupted = True
    say()
    soak.total.stop()
    for line in run_summary(soak.total, binding.waived, LIMITS, session.paper):
        say(line)
    if interrupted:
        return INTERRUPTED
    return DONE if soak.total.verdict is Verdict.PASS else BROKEN


def _told(soak: Soak, results: Iterator[Played | None]) -> Iterator[str]:
    """Add up the results, a line each, until one has failed."""
    for played in results:
        if played is None:
            yield f"{soak.status}; under way: {len(soak.under_way)}"
            continue
        soak.add(played)
        yield soak.status
        if played.failure is not None:
            yield ""
            yield soak.report(played, played.failure)
            return


COMMAND = Command(
    "soak",
    "Play many steps over many seeds in several processes, and add up one verdict.",
    add_arguments,
    run,
)
