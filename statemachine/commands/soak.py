"""``python -m statemachine soak``: plays many steps over many seeds, and adds up one verdict.

Long runs of a correct system show false alarms of the invariants.  Each search plays like a run of the
``dev`` profile, in the embedded lane or in the transactions lane.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from statemachine.binding import DEFAULT_BINDING
from statemachine.report.asked import Asked
from statemachine.report.console import BROKEN, DONE, INTERRUPTED, Command, UsageError, say, whole_number
from statemachine.report.failure_reports import report_failure
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import paper_for
from statemachine.report.text.summary import run_summary
from statemachine.search.control import SearchControl
from statemachine.search.engine import PROFILES, register_profiles, search, sized
from statemachine.search.figures import InSearch
from statemachine.search.findings import Finding
from statemachine.search.fuzzing.searches import StopFlag
from statemachine.search.lanes import EMBEDDED, KINDS, TRANSACTIONS
from statemachine.search.pool import WorkFailed, run_tasks
from statemachine.search.run import Verdict
from statemachine.search.tally import Part, Tally
from statemachine.search.triage.explain import Why, explain
from statemachine.search.triage.failure import Failure
from statemachine.world.databases.availability import missing_because, packages_missing
from statemachine.world.databases.for_tasks import TaskDatabases, databases_for_tasks
from statemachine.world.databases.opening import load_here, open_interleaved_on, open_lane
from statemachine.world.databases.postgresql import SERVER_VARIABLE, named_server
from statemachine.world.lane import Lane

FIRST_SEED = 1000
STEPS = 2_000_000
STEPS_AN_EXAMPLE = 60
"""About how many steps an example has, its drain included."""


class SoakSearch(NamedTuple):
    """One seed to be played in a worker process."""

    binding: str
    defect: str | None
    seed: int
    examples: int
    database: Mapping[str, Any] | None = None
    """An empty one, as an entry of Django's ``DATABASES``; None for the embedded lane, which makes one."""

    def __str__(self) -> str:
        return f"the search of --binding {self.binding} with seed {self.seed}"


class SoakResult(NamedTuple):
    """What came of one search."""

    search: SoakSearch
    tally: Tally
    failure: Failure | None
    """Minimised."""
    why: Why | None
    unstable: str
    found_steps: int
    """The number of steps of the failure when it was found."""


def play(stop: StopFlag, asked: SoakSearch) -> SoakResult:
    """Search on an empty database, in this process, until ``stop`` is set at most.

    Raises what opening the binding raises.
    """
    register_profiles()
    with (
        open_lane(asked.binding, asked.defect)
        if asked.database is None
        else open_interleaved_on(asked.database, asked.binding, asked.defect)
    ) as lane:
        kind = EMBEDDED if asked.database is None else TRANSACTIONS
        control = SearchControl(kind.new_run(lane), asked_to_stop=lambda: bool(stop.value))
        search(control, asked.seed, sized(asked.examples, steps=kind.steps), machine=kind.machine)
        failure = control.failure
        why = explain(lane, failure) if failure else None
    found_steps = len(control.first_failure.steps) if control.first_failure else 0
    return SoakResult(asked, control.run.tally, failure, why, control.unstable, found_steps)


class Soak:
    """Deals out searches until enough steps are played, and adds up what comes of them."""

    def __init__(self, asked: Asked, steps: int, jobs: int, databases: TaskDatabases | None = None) -> None:
        self.asked = asked
        self.kind = KINDS[asked.lane]
        self.databases = databases
        """One for each search of the transactions lane."""
        self.jobs = jobs
        self.steps = steps
        self.next_seed = asked.seed
        self.under_way: dict[int, SoakSearch] = {}
        self.searches = 0
        self.total = self.kind.new_run(Lane(asked.binding))
        self.interrupted = False
        # Made for processes that are started as the pool's are, and without a lock, which a process that is
        # killed would keep.
        self.stop: Any = multiprocessing.get_context("spawn").RawValue("b", 0)

    def next_search(self) -> SoakSearch | None:
        """Return the next seed, with no more examples than are still needed; None when there are enough."""
        expected = sum(search.examples for search in self.under_way.values()) * STEPS_AN_EXAMPLE
        needed = self.steps - self.total.tally.steps - expected
        if needed <= 0 or self.interrupted:
            return None
        free = max(self.jobs - len(self.under_way), 1)
        most = self.kind.size(sized(PROFILES["dev"])).max_examples
        examples = min(most, math.ceil(needed / free / STEPS_AN_EXAMPLE))
        database = self.databases.make(self.next_seed) if self.databases is not None else None
        dealt = SoakSearch(self.asked.binding_path, self.asked.defect, self.next_seed, examples, database)
        self.under_way[dealt.seed] = dealt
        self.next_seed += 1
        return dealt

    def add(self, result: SoakResult) -> None:
        """Add the result of a search that was dealt out."""
        del self.under_way[result.search.seed]
        if self.databases is not None:
            self.databases.done(result.search.seed)
        self.total.add(result.tally)
        if result.failure is not None:
            self.total.findings.add(self.finding(result, result.failure))
        self.searches += 1

    @contextmanager
    def interrupts_noticed(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM end the searches in good order, and the second one at once."""

        def interrupted(number: int, frame: FrameType | None) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted, self.stop.value = True, 1

        before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def status(self) -> str:
        """How far it is, in a line."""
        tally, (cell, count) = self.total.tally, self.total.reach.rarest()
        speed = tally.steps / max(self.total.seconds_of(Part.SEARCH), 0.001)
        return (
            f"  {tally.steps:,} of {self.steps:,} steps, {speed:,.0f} steps/s, {tally.examples:,} examples, "
            f"seeds done: {self.searches}; rarest: {cell} {count}"
        )

    def finding(self, result: SoakResult, failure: Failure) -> Finding:
        seed = result.search.seed
        origin = InSearch(result.tally.examples, seed=seed)
        return Finding(failure, origin, result.found_steps, seed=seed, unstable=result.unstable)

    def report(self, result: SoakResult, failure: Failure) -> str:
        """Save a failure, as far as that can be done, and return its report."""
        return report_failure(self.asked, self.finding(result, failure), self.total, result.why).text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--steps", type=whole_number, default=STEPS, help="play at least this many steps (default: 2000000)")
    add(
        "--first-seed",
        type=int,
        default=FIRST_SEED,
        metavar="N",
        help="the seed of the first search; the others follow (default: 1000)",
    )
    add(
        "--jobs",
        type=whole_number,
        default=os.cpu_count() or 1,
        help="how many processes search (default: one for each processor)",
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


def run(options: argparse.Namespace) -> int:
    """Return exit code 0 for PASS, 1 for FAIL and UNKNOWN, 130 when interrupted."""
    binding = load_here(options.binding, options.defect)
    named = _server(options)
    asked = Asked(
        options.binding,
        binding,
        options.defect,
        options.first_seed,
        options.lane,
        database_server=options.database_server,
        paper=paper_for(sys.stdout),
    )
    register_profiles()
    with ExitStack() as stack:
        interleaved = asked.lane == TRANSACTIONS.name
        databases = stack.enter_context(databases_for_tasks(named, options.jobs)) if interleaved else None
        soak = Soak(asked, options.steps, options.jobs, databases)
        results = stack.enter_context(
            closing(run_tasks(partial(play, soak.stop), soak.next_search, options.jobs))
        )
        try:
            with soak.interrupts_noticed(), soak.total.spending(Part.SEARCH):
                for line in _lines(soak, results):
                    say(line)
        except KeyboardInterrupt:
            soak.interrupted = True
        except WorkFailed as error:
            if not soak.searches:
                raise
            soak.total.tally.lost.append(str(error))
        soak.total.finished = not soak.interrupted
    say()
    for line in run_summary(soak.total, asked.binding.waived, LIMITS[asked.lane], asked.paper):
        say(line)
    if soak.interrupted:
        return INTERRUPTED
    return DONE if soak.total.verdict is Verdict.PASS else BROKEN


def _server(options: argparse.Namespace) -> str | None:
    """Return the PostgreSQL server that is named, if any.  Raises ``UsageError`` where there can be none."""
    if options.lane != TRANSACTIONS.name:
        if options.database_server:
            raise UsageError(
                "--database-server is for --lane transactions: the embedded lane has SQLite in memory"
            )
        return None
    named = named_server(options.database_server)
    if named is not None and packages_missing():
        raise UsageError(f"--database-server needs {packages_missing()}: pip install '.[postgres]'")
    missing = missing_because(named)
    if missing:
        raise UsageError(f"--lane {options.lane}: {missing}")
    return named


def _lines(soak: Soak, results: Iterator[SoakResult | None]) -> Iterator[str]:
    """Add up the results, and yield what is printed of each, until one has failed."""
    for result in results:
        if result is None:
            yield f"{soak.status}; under way: {len(soak.under_way)}"
            continue
        soak.add(result)
        yield soak.status
        if result.failure is not None:
            yield ""
            yield soak.report(result, result.failure)
            return


COMMAND = Command(
    "soak",
    "Play many steps over many seeds in several processes, and add up one verdict.",
    add_arguments,
    run,
)
