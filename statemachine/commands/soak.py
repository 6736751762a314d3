"""``python -m statemachine soak``: the correct system for as many steps as one likes, over many seeds.

A false alarm of an invariant shows itself in long runs of a system that is right.  Each search plays
like a run of the ``dev`` profile, in the embedded lane or in the transactions lane; what all of them met
and judged is added up, and ends in one verdict.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

from statemachine.binding import DEFAULT_BINDING
from statemachine.report.console import BROKEN, DONE, INTERRUPTED, Command, Misused, say, whole_number
from statemachine.report.failure_reports import Reports
from statemachine.report.session import Session
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import paper_for
from statemachine.report.text.summary import run_summary
from statemachine.search.control import SearchControl
from statemachine.search.engine import PROFILES, register_profiles, search, so_many
from statemachine.search.figures import InSearch
from statemachine.search.findings import Finding
from statemachine.search.lanes import EMBEDDED, KINDS, TRANSACTIONS
from statemachine.search.pool import side_by_side
from statemachine.search.run import Verdict
from statemachine.search.tally import Tally
from statemachine.search.triage.explain import Why, explain
from statemachine.search.triage.failure import Failure
from statemachine.world.clock import real_seconds
from statemachine.world.databases.availability import missing_because, packages_missing
from statemachine.world.databases.for_tasks import TaskDatabases, databases_for_tasks
from statemachine.world.databases.opening import load_here, open_interleaved_on, open_lane
from statemachine.world.databases.postgresql import SERVER_VARIABLE, named_server
from statemachine.world.lane import Lane

FIRST_SEED = 1000
STEPS = 2_000_000
STEPS_AN_EXAMPLE = 60
"""About what an example plays, its drain included: how many examples a number of steps may need."""


class Search(NamedTuple):
    """One seed to be played in a worker process.

    In the transactions lane, if it has an empty ``database`` for that, an entry of Django's ``DATABASES``.
    """

    binding: str
    defect: str | None
    seed: int
    examples: int
    database: Mapping[str, Any] | None = None

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
    with (
        open_lane(asked.binding, asked.defect)
        if asked.database is None
        else open_interleaved_on(asked.database, asked.binding, asked.defect)
    ) as lane:
        kind = EMBEDDED if asked.database is None else TRANSACTIONS
        control = SearchControl(kind.new_run(lane))
        search(control, asked.seed, so_many(asked.examples, steps=kind.steps), machine=kind.machine)
        failure = control.failure
        why = explain(lane, failure) if failure else None
    found_steps = len(control.first_failure.steps) if control.first_failure else 0
    return Played(asked, control.run.tally, failure, why, control.unstable, found_steps)


class Soak:
    """Deals out searches until enough steps are played, and adds up what comes of them.

    Those of the transactions lane have ``databases``.
    """

    def __init__(
        self, session: Session, steps: int, jobs: int, databases: TaskDatabases | None = None
    ) -> None:
        self.session = session
        self.kind = KINDS[session.lane]
        self.databases = databases
        self.jobs = jobs
        self.steps = steps
        self.next_seed = session.seed
        self.under_way: dict[int, Search] = {}
        self.searches = 0
        # The sum of many runs is a run: it is reported as one.
        self.total = self.kind.new_run(Lane(session.binding))

    def next_search(self) -> Search | None:
        """The next seed, with no more examples than are still needed; None when there are enough."""
        expected = sum(search.examples for search in self.under_way.values()) * STEPS_AN_EXAMPLE
        needed = self.steps - self.total.tally.steps - expected
        if needed <= 0:
            return None
        free = max(self.jobs - len(self.under_way), 1)
        most = self.kind.size(so_many(PROFILES["dev"])).max_examples
        examples = min(most, math.ceil(needed / free / STEPS_AN_EXAMPLE))
        database = self.databases.make(self.next_seed) if self.databases is not None else None
        dealt = Search(self.session.binding_path, self.session.defect, self.next_seed, examples, database)
        self.under_way[dealt.seed] = dealt
        self.next_seed += 1
        return dealt

    def add(self, played: Played) -> None:
        """Take in the result of a search that was dealt out."""
        del self.under_way[played.search.seed]
        if self.databases is not None:
            self.databases.done(played.search.seed)
        total = self.total
        total.tally.add(played.tally)
        total.failure = played.failure
        total.stop()
        self.searches += 1

    @property
    def status(self) -> str:
        """How far it is, in a line."""
        total, (cell, count) = self.total, self.total.reach.rarest()
        tally = total.tally
        speed = tally.steps / max(real_seconds() - total.started, 0.001)
        return (
            f"  {tally.steps:,} of {self.steps:,} steps, {speed:,.0f} steps/s, {tally.examples:,} examples, "
            f"seeds done: {self.searches}; rarest: {cell} {count}"
        )

    def report(self, played: Played, failure: Failure) -> str:
        """The failure report; history and plain test are saved, unless that cannot be done."""
        seed = played.search.seed
        origin = InSearch(played.tally.examples, seed=seed)
        found = Finding(failure, origin, played.found_steps, seed=seed, unstable=played.unstable)
        return Reports(self.session).of(found, self.total, played.why)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--steps", type=whole_number, default=STEPS, help="play at least so many (default: 2000000)")
    add("--first-seed", type=int, default=FIRST_SEED, metavar="N", help="the others follow (default: 1000)")
    add(
        "--jobs", type=whole_number, default=os.cpu_count() or 1, help="processes (default: a processor each)"
    )
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system under test")
    add(
        "--lane",
        choices=KINDS,
        default=EMBEDDED.name,
        help="whole operations on SQLite, or two transactions at once on PostgreSQL (default: embedded)",
    )
    add(
        "--database-server",
        metavar="URL",
        help="for --lane transactions: make new databases on this PostgreSQL server "
        f"(default: ${SERVER_VARIABLE}, else a private server)",
    )
    add("--defect", metavar="NAME", help="plant one of the binding's known bugs, to see it caught")


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 for PASS, 1 for FAIL and UNKNOWN, 130 when interrupted."""
    binding = load_here(asked.binding, asked.defect)
    session = Session(asked.binding, binding, asked.defect, asked.first_seed, 0, None, None)
    session.paper = paper_for(sys.stdout)
    session.lane, session.database_server = asked.lane, asked.database_server
    named = _server(asked)
    register_profiles()
    interrupted = False
    with ExitStack() as stack:
        interleaved = asked.lane == TRANSACTIONS.name
        databases = stack.enter_context(databases_for_tasks(named, asked.jobs)) if interleaved else None
        soak = Soak(session, asked.steps, asked.jobs, databases)
        results = stack.enter_context(closing(side_by_side(play, soak.next_search, asked.jobs)))
        try:
            for line in _told(soak, results):
                say(line)
            soak.total.finished = True
        except KeyboardInterrupt:
            interrupted = True
    say()
    soak.total.stop()
    for line in run_summary(soak.total, binding.waived, LIMITS[asked.lane], session.paper):
        say(line)
    if interrupted:
        return INTERRUPTED
    return DONE if soak.total.verdict is Verdict.PASS else BROKEN


def _server(asked: argparse.Namespace) -> str | None:
    """The PostgreSQL server that is named for this, if any.  Raises ``Misused`` where there can be none."""
    if asked.lane != TRANSACTIONS.name:
        if asked.database_server:
            raise Misused(
                "--database-server is for --lane transactions: the embedded lane has SQLite in memory"
            )
        return None
    named = named_server(asked.database_server)
    if named is not None and packages_missing():
        raise Misused(f"--database-server needs {packages_missing()}: pip install '.[postgres]'")
    missing = missing_because(named)
    if missing:
        raise Misused(f"--lane {asked.lane}: {missing}")
    return named


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
