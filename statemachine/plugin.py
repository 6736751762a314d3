"""The pytest side: options, header, fixtures, signs of life, summary and exit codes, and nothing else.

Loaded by ``-p statemachine.plugin``, which ``pyproject.toml`` says for a checkout: early enough to choose
the settings module before pytest-django looks for one.  As a ``pytest11`` entry point its options would
turn up in every pytest of the environment.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from statemachine import failures, safety
from statemachine.binding import DEFAULT_BINDING, BindingError, load
from statemachine.certificate.citation import cite
from statemachine.embedded import LIMITS, register_profiles, search
from statemachine.example import Lane
from statemachine.explain import Why, explain
from statemachine.history import Event
from statemachine.ndjson import Header
from statemachine.progress import Progress
from statemachine.regression import LeasedJobs
from statemachine.replay import Outcome, ReplayError, replay
from statemachine.report.regression import NAME
from statemachine.report.summary import MEANING, run_summary
from statemachine.report.text import failure_report
from statemachine.run import Failure, Run, Verdict
from statemachine.session import Session, check_profile, choose_settings, session_for

register_profiles()


SESSION = pytest.StashKey[Session]()


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
        "--clock-skew",
        metavar="SECONDS",
        default="0",
        help="let the clock of a worker be so many seconds ahead or behind (default: 0, all clocks agree)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    # Around pytest-django's own, which imports whatever settings module it finds.
    asked = early_config.known_args_namespace
    if not asked.help and not asked.version:
        early_config.stash[SESSION] = session = session_for(asked)
        choose_settings(session, asked)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Only now, since a conftest.py may have registered more profiles.
    if SESSION not in config.stash:
        return
    profile = config.getoption("--hypothesis-profile")
    check_profile(profile)
    if profile is None:
        settings.load_profile("dev")


def pytest_sessionstart(session: pytest.Session) -> None:
    from django.db import connections

    try:
        session.config.stash[SESSION].database = safety.make_private(connections.settings)
    except safety.Refused as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    session = config.stash[SESSION]
    ours = session.binding.lifecycle
    profile = settings.get_current_profile_name()
    examples = settings.get_profile(profile)
    planted = f", with the defect {session.defect} planted" if session.defect else ""
    lines = [
        f"statemachine: {session.binding_path}{planted}",
        f"database: {session.database}",
        f"lifecycle: lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{ours.max_receives} receives, late completion {ours.late_completion}",
    ]
    if session.saved:
        planted = f", recorded with the defect {session.saved[0].defect}" if session.saved[0].defect else ""
        return [*lines, f"replay: {session.replay_path}{planted}"]
    if session.clock_skew_seconds:
        lines.append(f"clocks: each worker's up to {session.clock_skew_seconds} s ahead or behind")
    return [
        *lines,
        cite(session.binding_path, session.binding.defects),
        f"profile {profile}: {examples.max_examples} examples of {examples.stateful_step_count} steps; "
        f"seed {session.seed} (again with --hypothesis-seed={session.seed})",
    ]


def _lengths(run: Run) -> str:
    if run.failure is None or run.first_failure is None:
        return ""
    return f"{len(run.first_failure.steps)} → {len(run.failure.steps)}"


class EmbeddedLane:
    """What the lane's test plays: a search, or the replay of a saved history."""

    def __init__(self, config: pytest.Config, lane: Lane) -> None:
        self.session = config.stash[SESSION]
        self.lane = lane
        self.progress = Progress(config)

    def play(self) -> None:
        """Fails the test, with a report instead of a traceback, unless the verdict is PASS or FIXED."""
        if self.session.saved is not None:
            self._replay(*self.session.saved)
        else:
            self._search()

    def _search(self) -> None:
        run = self.session.run = Run(self.lane, self.progress)
        why = None
        try:
            search(run, self.session.seed)
            if run.failure is not None:
                why = explain(self.lane, run.failure)
        except BindingError as error:
            self.lane.faults.abandon()
            pytest.exit(f"--binding {self.session.binding_path}: {error}", returncode=4)
        except BaseException:
            self.lane.faults.abandon()
            if run.failure is not None:  # found, not yet shrunk or explained: nothing found is lost
                self.session.notes.append(self._report(run, run.failure))
            raise
        finally:
            self.progress.clear()
        if run.failure is not None:
            pytest.fail(self._report(run, run.failure, why), pytrace=False)
        elif run.verdict is Verdict.UNKNOWN:
            doubts = "\n".join(f"      {doubt}" for doubt in run.doubts())
            pytest.fail(f"UNKNOWN  {MEANING[Verdict.UNKNOWN]}:\n{doubts}", pytrace=False)

    def _report(self, run: Run, failure: Failure, why: Why | None = None) -> str:
        looked_at = (
            f"Looked at {run.finding_examples} examples until it was found, after {run.found_after:.1f} s; "
            f"shrunk {_lengths(run)} steps in {run.seconds - (run.found_after or 0):.1f} s"
        )
        if run.unstable:
            looked_at += (
                f"\n  Hypothesis could not repeat it ({run.unstable}): please report that as a bug of ours"
            )
        reproduce = self._saved(failure)
        lifecycle = self.lane.binding.lifecycle
        return failure_report(lifecycle, failure, why=why, reproduce=reproduce, looked_at=looked_at)

    def _saved(self, failure: Failure) -> list[str]:
        """Save it, and say how to see it again: no line names a file that is not there."""
        session = self.session
        try:
            saved = failures.save(session.header(), failure, session.test_command)
        except OSError as error:
            again = session.search_command()
            return [f"{again}   (the history could not be saved: {error})"]
        replayed = session.replay_command(saved.folder.as_posix())
        if saved.test is None:
            return [replayed, f"(the plain test could not be saved: {saved.lacks})"]
        return [replayed, *self._plain_test(saved.test)]

    def _plain_test(self, test: Path) -> list[str]:
        if not test.is_file():
            return []
        return ["or, as a plain test without Hypothesis,", self.session.test_command(test.as_posix())]

    def _replay(self, header: Header, events: list[Event]) -> None:
        try:
            played = self.session.replayed = replay(self.lane, header, events)
        except ReplayError as error:
            pytest.exit(f"--replay {self.session.replay_path}: {error}", returncode=4)
        path = Path(str(self.session.replay_path))
        if played.outcome is Outcome.REPRODUCED and played.failure is not None:
            report = failure_report(
                self.lane.binding.lifecycle,
                played.failure,
                why=explain(self.lane, played.failure),
                reproduce=[
                    self.session.replay_command(str(path)),
                    *self._plain_test((path if path.is_dir() else path.parent) / NAME),
                ],
                looked_at=f"{played.outcome} from {path}",
            )
            pytest.fail(report, pytrace=False)
        elif played.outcome is not Outcome.FIXED:
            pytest.fail(played.sentence, pytrace=False)


@pytest.fixture(scope="session")
def private_database(django_db_setup: None) -> None:
    """Ends the session before anything is written, unless every database is the run's own."""
    from django.db import connections

    try:
        safety.check_private(connections.all())
    except safety.Refused as error:
        pytest.exit(str(error), returncode=4)


@pytest.fixture
def embedded_lane(
    request: pytest.FixtureRequest, private_database: None, transactional_db: None
) -> Iterator[EmbeddedLane]:
    """The lane on the run's own database, in autocommit: inside a transaction ``on_commit`` never fires."""
    session = request.config.stash[SESSION]
    lane = Lane(session.binding, session.clock_skew_seconds)
    with lane.open():
        yield EmbeddedLane(request.config, lane)


@pytest.fixture
def leased_jobs(
    request: pytest.FixtureRequest, private_database: None, transactional_db: None
) -> Iterator[LeasedJobs]:
    """Plays one history on the run's own database, with the binding and the defect of the command line."""
    session = request.config.stash[SESSION]
    # A binding of its own for each test: a binding is opened once.
    lane = Lane(load(session.binding_path, session.defect))
    with lane.open():
        jobs = LeasedJobs(lane, session.binding_path)
        yield jobs
    if jobs.unjudged:
        pytest.fail(
            "leased_jobs: the steps were not judged; end the test with leased_jobs.check()", pytrace=False
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    session = config.stash[SESSION]
    for note in session.notes:
        terminalreporter.write_line(note)
    if session.replayed is not None:
        terminalreporter.section("statemachine: replay")
        terminalreporter.write_line(session.replayed.sentence)
    elif session.run is not None and session.run.examples:
        terminalreporter.section("statemachine: embedded lane")
        for line in run_summary(session.run, session.binding.waived, LIMITS):
            terminalreporter.write_line(line)
