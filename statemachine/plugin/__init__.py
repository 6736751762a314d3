"""The pytest plugin: its hooks and fixtures.  What they do is in the modules beside this one.

Loaded by ``-p statemachine.plugin``, which ``pyproject.toml`` says for a checkout: early enough to choose
the settings module before pytest-django looks for one.  As a ``pytest11`` entry point its options would
show up in every pytest of the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.plugin import xdist
from statemachine.plugin.closing import closings_of, properties_of
from statemachine.plugin.ending import forbid_unvouched, say_at_once, stop, unvouched
from statemachine.plugin.header import header_of
from statemachine.plugin.lanes import LanePlayer, embedded, interleaved
from statemachine.plugin.options import asked_for, check_configuration, check_profile, choose_settings
from statemachine.plugin.processes_player import ProcessesPlayer
from statemachine.plugin.state import STATE, PluginState
from statemachine.report.housekeeping import KEPT_FAILURES
from statemachine.report.leased_jobs import InterleavedJobs, LeasedJobs
from statemachine.report.text.lanes import LANES
from statemachine.report.text.paper import WIDE, paper_for
from statemachine.search.engine import register_profiles
from statemachine.search.interrupts import sigterm_interrupts
from statemachine.search.lanes import EMBEDDED, TRANSACTIONS
from statemachine.search.triage.budget import MINIMISE_SECONDS
from statemachine.world import exits, outside
from statemachine.world.databases import safety
from statemachine.world.databases.postgresql import SERVER_VARIABLE
from statemachine.world.hangs import DEFAULT_SECONDS, WATCH
from statemachine.world.lane import Lane

register_profiles()

_PLAYERS = {f"{lane}_lane": lane for lane in LANES}
"""The fixtures by which a test plays a lane."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("statemachine", "statemachine (leased background jobs)")
    group.addoption(
        "--binding",
        metavar="MODULE:FACTORY",
        default=DEFAULT_BINDING,
        help=f"the system under test, as package.module:Factory (default: {DEFAULT_BINDING})",
    )
    group.addoption(
        "--defect", metavar="NAME", help="plant one of the binding's known bugs, to see it caught"
    )
    group.addoption(
        "--replay",
        metavar="PATH",
        help="play a saved history (.statemachine/ID) instead of searching: REPRODUCED, FIXED or DIVERGED",
    )
    group.addoption(
        "--report",
        metavar="PATH",
        help="write what was played as one HTML page, whatever the verdict: timeline, situations met, claims "
        "judged; into PATH if that ends in .html, else as timeline.html in the directory PATH",
    )
    group.addoption(
        "--fuzz-for",
        metavar="TIME",
        help="search until this time is up (30s, 10m, 6h), in as many processes as -n of pytest-xdist says",
    )
    group.addoption(
        "--corpus",
        metavar="PLACE",
        help="histories to play first, and where to keep those that are found: a directory, or a Redis that "
        "several machines share, redis://HOST:PORT/NUMBER (default: .statemachine/corpus)",
    )
    group.addoption(
        "--keep-failures",
        metavar="N",
        help=f"how many failure folders .statemachine keeps, the newest (default: {KEPT_FAILURES})",
    )
    group.addoption(
        "--clock-skew",
        metavar="SECONDS",
        default="0",
        help="let the clock of each worker be up to SECONDS ahead or behind (default: 0, all clocks agree)",
    )
    group.addoption(
        "--lane",
        choices=LANES,
        help="what `pytest statemachine/` plays: "
        + "; ".join(f"{name}: {what}" for name, what in LANES.items())
        + " (default: the first two, the second one where there is a PostgreSQL)",
    )
    group.addoption(
        "--database-server",
        metavar="URL",
        help="make databases on this PostgreSQL server, under new names: for the transactions lane, which "
        "else starts a private one, and for --lane processes, which else has a SQLite file "
        f"(default: ${SERVER_VARIABLE})",
    )
    group.addoption(
        "--exhaust",
        metavar="ONE,OTHER",
        help="play every interleaving of two operations on one job, statement by statement on PostgreSQL: "
        "prepare,prepare or complete,prepare, say",
    )
    group.addoption(
        "--allow",
        metavar="NAMES",
        default="",
        help="what code under test may do outside of the run, with commas between: "
        + "; ".join(f"{name}: {what}" for name, what in outside.ALLOWABLE.items())
        + " (default: nothing)",
    )
    group.addoption(
        "--hang-after",
        metavar="SECONDS",
        default=f"{DEFAULT_SECONDS:g}",
        help="give up an example when a step of it takes longer than SECONDS by the real clock, which makes "
        f"the verdict UNKNOWN (default: {DEFAULT_SECONDS:g}; 0: never)",
    )
    group.addoption(
        "--minimise-for",
        metavar="SECONDS",
        default=f"{MINIMISE_SECONDS:g}",
        help="minimise and explain what was found for SECONDS at most, and report it as far as it has come "
        f"(default: {MINIMISE_SECONDS:g})",
    )
    group.addoption(
        "--kills", metavar="N", help="for --lane processes: how many workers are killed (default: 30)"
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    # Around pytest-django's own, which imports whatever settings module it finds.
    options = early_config.known_args_namespace
    if not options.help and not options.version:
        check_configuration(options, early_config.inipath, early_config.invocation_params.dir)
        asked = asked_for(options)
        early_config.stash[STATE] = state = PluginState(asked)
        state.database = choose_settings(asked, options)
    exits.say = partial(say_at_once, early_config)
    early_config.add_cleanup(_sigterm_interrupts())
    with exits.noticed():
        try:
            return (yield)
        except SystemExit as error:
            # Of the settings, of an app or of a conftest.py: pytest would end with their exit code.
            raise pytest.UsageError(
                f"the settings or an app of --binding {options.binding} raised SystemExit: {error.code}, "
                "which ends the run before it has begun; take that out of what they import"
            ) from None


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    # Around xdist's own, which would start workers and deal out tests to them: a run by time is one test,
    # which deals out searches to processes of its own.
    state = config.stash.get(STATE, None)
    if state is not None and state.asked.fuzz_seconds:
        wanted = getattr(config.option, "numprocesses", None)
        if isinstance(wanted, str):  # auto, logical
            wanted = config.hook.pytest_xdist_auto_num_workers(config=config)
        state.asked = replace(state.asked, processes=max(wanted or 1, 1))
        config.option.numprocesses = None
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    xdist.join(config, paper_for(sys.stdout))
    # Ctrl-C that Python delivers inside Hypothesis's callback of the garbage collector is dropped, with this
    # warning; the search has noticed it by itself (search/engine.py) and ends in good order.
    config.addinivalue_line(
        "filterwarnings", "ignore:Exception ignored in.*gc_callback:pytest.PytestUnraisableExceptionWarning"
    )
    # Only now, since a conftest.py may have registered more profiles.
    if STATE not in config.stash:
        return
    profile = config.getoption("--hypothesis-profile")
    check_profile(profile)
    debugged = config.option.usepdb or config.option.trace
    WATCH.seconds = 0 if debugged else config.stash[STATE].asked.hang_seconds
    outside.allowed = config.stash[STATE].asked.allowed
    if profile is None:
        settings.load_profile("fuzz" if config.stash[STATE].asked.fuzz_seconds else "dev")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of our own tests only that of the lane which was asked for."""
    if collection_path.parent != Path(__file__).parent or not collection_path.name.startswith("test_"):
        return None
    lanes = config.stash[STATE].asked.lanes
    return True if collection_path.stem.removeprefix("test_") not in lanes else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test that plays a lane use all databases of its settings; Django's default is one."""
    from django.db import connections

    names = {*_PLAYERS, "leased_jobs", "interleaved_jobs"} & {*getattr(item, "fixturenames", ())}
    if names and len(list(connections)) > 1 and item.get_closest_marker("django_db") is None:
        item.add_marker(pytest.mark.django_db(transaction=True, databases="__all__"))


def pytest_report_header(config: pytest.Config) -> list[str]:
    state = config.stash[STATE]
    header = header_of(state.asked, state.database)
    return [line for text in header for line in state.asked.paper.wrap(text, "", "  ")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the JUnit XML what was played, and pytest's short summary one line of the failure.

    In CI pytest prints the whole message there, and would repeat the report.
    """
    lanes = [_PLAYERS[name] for name in getattr(item, "fixturenames", ()) if name in _PLAYERS]
    outcomes = item.config.stash[STATE].outcomes
    outcome = outcomes.get(lanes[0]) if lanes and call.when == "call" else None
    if outcome is not None:
        item.user_properties += properties_of(outcome)
    report = yield
    if lanes and (report.skipped or (report.passed and call.when == "call")):
        forbid_unvouched(report, item.config.stash[STATE], lanes[0])
    crash = getattr(report.longrepr, "reprcrash", None)
    if outcome is not None and crash is not None and outcome.headline:
        crash.message = WIDE.cell(outcome.headline)
    return report


@pytest.fixture(scope="session")
def private_database(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> None:
    """Ends the run before anything is written, unless every database is the run's own."""
    from django.db import connections

    try:
        with django_db_blocker.unblock():
            safety.check_private(connections.all())
    except safety.Refused as error:
        stop(request.config, str(error))


@pytest.fixture
def embedded_lane(
    request: pytest.FixtureRequest, private_database: None, transactional_db: None
) -> Iterator[LanePlayer]:
    """The lane on the run's own database, in autocommit: inside a transaction ``on_commit`` never fires."""
    outcome = request.config.stash[STATE].begin(EMBEDDED.name)
    with embedded(outcome.asked) as (lane, process):
        yield LanePlayer(request.config, outcome, lane, process)


@pytest.fixture
def transactions_lane(
    request: pytest.FixtureRequest, private_database: None, transactional_db: None
) -> Iterator[LanePlayer]:
    """The lane on a PostgreSQL database that the run makes; skipped where there is no server for it."""
    outcome = request.config.stash[STATE].begin(TRANSACTIONS.name)
    with interleaved(request.config, outcome.asked, outcome.notes, outcome) as (lane, made, process):
        outcome.remarks.append(f"Database: {made}")
        yield LanePlayer(request.config, outcome, lane, process)


@pytest.fixture
def processes_lane(request: pytest.FixtureRequest) -> ProcessesPlayer:
    return ProcessesPlayer(request.config, request.config.stash[STATE].begin("processes"))


@pytest.fixture
def leased_jobs(
    request: pytest.FixtureRequest, private_database: None, transactional_db: None
) -> Iterator[LeasedJobs]:
    """Plays one history on the run's own database, with the binding and the defect of the command line."""
    asked = request.config.stash[STATE].asked
    # A binding of its own for each test: a binding is opened once.
    lane = Lane(load(asked.binding_path, asked.defect))
    with lane.open():
        jobs = LeasedJobs(lane, asked.binding_path)
        yield jobs
    _fail_unjudged(jobs, "leased_jobs")


@pytest.fixture
def interleaved_jobs(
    request: pytest.FixtureRequest, private_database: None, transactional_db: None
) -> Iterator[InterleavedJobs]:
    """The same, statement by statement on a PostgreSQL database that the test makes."""
    state = request.config.stash[STATE]
    with interleaved(request.config, state.asked, state.notes) as (lane, _, _):
        jobs = InterleavedJobs(lane, state.asked.binding_path)
        yield jobs
    _fail_unjudged(jobs, "interleaved_jobs")


def _fail_unjudged(jobs: LeasedJobs, fixture: str) -> None:
    if jobs.unjudged:
        pytest.fail(
            f"{fixture}: the steps were not judged; end the test with {fixture}.check()", pytrace=False
        )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and unvouched(session.config.stash[STATE]):
        # pytest.exit() of code under test may have given the exit code.
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    # pytest before 9.1 asks for no summary at all when its own is not wanted.
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.config.getoption("no_summary"):
        reporter.ensure_newline()
        _close(reporter, session.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("no_summary"):
        _close(terminalreporter, config)


def _sigterm_interrupts() -> Callable[[], None]:
    """Let SIGTERM interrupt the run, and return what undoes that."""
    stack = ExitStack()
    stack.enter_context(sigterm_interrupts())
    return stack.close


def _close(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    shown = config.getoption("tbstyle") != "no" and not config.getoption("no_summary")
    for closing in (*closings_of(config.stash[STATE]), *xdist.received(config)):
        for note in closing.notes:
            reporter.write_line(note)
        lines = closing.text(shown)
        if lines:
            reporter.section(closing.title)
        for line in lines:
            reporter.write_line(line)
