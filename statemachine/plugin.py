"""The pytest side: options, header, signs of life, summary and exit codes, and nothing else.

Loaded by ``statemachine/conftest.py`` in a checkout and by ``-p statemachine.plugin`` elsewhere; as a
``pytest11`` entry point its options would turn up in every pytest of the environment.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.errors import InvalidArgument

from statemachine import failures, ndjson, safety
from statemachine.binding import DEFAULT_BINDING, Binding, BindingError, load
from statemachine.embedded import LIMITS, PROFILES, register_profiles, search
from statemachine.example import Lane
from statemachine.history import Event
from statemachine.lifecycle import LifecycleError
from statemachine.ndjson import Header, HistoryError
from statemachine.progress import Progress
from statemachine.replay import Outcome, Replayed, ReplayError, replay
from statemachine.report.summary import MEANING, run_summary
from statemachine.report.text import failure_report
from statemachine.run import Failure, Run, Verdict

register_profiles()


@dataclass
class Session:
    """What was asked for on the command line, checked, and what came of it."""

    binding_path: str
    binding: Binding
    defect: str | None
    seed: int
    replay_path: Path | None
    saved: tuple[Header, list[Event]] | None
    database: str = ""
    run: Run | None = None
    replayed: Replayed | None = None
    notes: list[str] = field(default_factory=list)

    def header(self) -> Header:
        return Header(self.binding_path, self.binding.lifecycle, self.seed, self.defect)

    def command(self, *arguments: str) -> str:
        """A command line that runs this binding again with ``arguments``."""
        here = Path("statemachine", "plugin.py").exists()
        words = ["pytest statemachine/" if here else "pytest -p statemachine.plugin --pyargs statemachine"]
        if self.binding_path != DEFAULT_BINDING:
            words.append(f"--binding {self.binding_path}")
        if self.defect:
            words.append(f"--defect {self.defect}")
        return " ".join([*words, *arguments])


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


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Before pytest-django configures Django, so that the binding chooses the settings module.
    if config.getoption("help", False):
        return
    try:
        config.stash[SESSION] = session = _session(config)
        safety.check_no_reuse(bool(config.getoption("reuse_db", False)))
        safety.check_settings_module(
            session.binding.settings_module,
            session.binding_path,
            {
                "the environment's DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE"),
                "--ds": config.getoption("ds", None),
            },
        )
    except (BindingError, HistoryError, LifecycleError, safety.Refused) as error:
        raise pytest.UsageError(str(error)) from None
    _configure_django(session)


def _configure_django(session: Session) -> None:
    from django.conf import settings as django_settings
    from django.core.exceptions import ImproperlyConfigured

    module = os.environ["DJANGO_SETTINGS_MODULE"] = session.binding.settings_module
    try:
        databases = django_settings.DATABASES
    except (ImportError, ImproperlyConfigured) as error:
        raise pytest.UsageError(
            f"--binding {session.binding_path}: its settings module {module} cannot be loaded ({error}); "
            "run from the directory that holds it, with its requirements installed"
        ) from None
    if not databases:
        raise pytest.UsageError(f"--binding {session.binding_path}: {module} names no database in DATABASES")


def _session(config: pytest.Config) -> Session:
    _load_profile(config.getoption("--hypothesis-profile"))
    path, defect = config.getoption("binding"), config.getoption("defect")
    replay_option = config.getoption("replay")
    replay_path = Path(replay_option) if replay_option else None
    saved = ndjson.read(replay_path) if replay_path else None
    return Session(path, load(path, defect), defect, _seed(config), replay_path, saved)


def _load_profile(name: str | None) -> None:
    try:
        settings.get_profile(name or "dev")
    except InvalidArgument:
        raise pytest.UsageError(
            f"--hypothesis-profile {name}: there is no such profile; this project has {', '.join(PROFILES)}, "
            "and your conftest.py can register more"
        ) from None
    if name is None:
        settings.load_profile("dev")


def _seed(config: pytest.Config) -> int:
    asked = config.getoption("--hypothesis-seed")
    if asked is None:
        return secrets.randbelow(2**32)
    try:
        return int(asked)
    except ValueError:
        raise pytest.UsageError(f"--hypothesis-seed {asked}: give a whole number") from None


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
        f"database: {session.database or 'SQLite in memory, made for this run'}",
        f"lifecycle: lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{ours.max_receives} receives, late completion {ours.late_completion}",
    ]
    if session.saved:
        return [*lines, f"replay: {session.replay_path}"]
    return [
        *lines,
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
        try:
            search(run, self.session.seed)
        finally:
            self.progress.clear()
        if run.failure is not None:
            pytest.fail(self._report(run, run.failure), pytrace=False)
        elif run.verdict is Verdict.UNKNOWN:
            doubts = "\n".join(f"      {doubt}" for doubt in run.doubts())
            pytest.fail(f"UNKNOWN  {MEANING[Verdict.UNKNOWN]}:\n{doubts}", pytrace=False)

    def _report(self, run: Run, failure: Failure) -> str:
        try:
            folder = failures.save(self.session.header(), failure)
            reproduce = self.session.command(f"--replay {folder.as_posix()}")
        except OSError as error:
            reproduce = self.session.command(f"--hypothesis-seed={self.session.seed}")
            reproduce += f"   (the history could not be saved: {error})"
        looked_at = (
            f"Looked at {run.finding_examples} examples until it was found, after {run.found_after:.1f} s; "
            f"shrunk {_lengths(run)} steps in {run.seconds - (run.found_after or 0):.1f} s"
        )
        if run.unstable:
            looked_at += (
                f"\n  Hypothesis could not repeat it ({run.unstable}): please report that as a bug of ours"
            )
        return failure_report(self.lane.binding.lifecycle, failure, reproduce=reproduce, looked_at=looked_at)

    def _replay(self, header: Header, events: list[Event]) -> None:
        try:
            played = self.session.replayed = replay(self.lane, header, events)
        except ReplayError as error:
            pytest.exit(f"--replay {self.session.replay_path}: {error}", returncode=4)
        if played.outcome is Outcome.REPRODUCED and played.violation is not None:
            pytest.fail(
                failure_report(
                    self.lane.binding.lifecycle,
                    Failure(played.violation, (), played.events),
                    reproduce=self.session.command(f"--replay {self.session.replay_path}"),
                    looked_at=f"REPRODUCED from {self.session.replay_path}",
                ),
                pytrace=False,
            )
        elif played.outcome is not Outcome.FIXED:
            pytest.fail(played.reason, pytrace=False)


@pytest.fixture
def embedded_lane(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[EmbeddedLane]:
    """The lane on the run's own database, in autocommit: inside a transaction ``on_commit`` never fires."""
    session = request.config.stash[SESSION]
    lane = Lane(session.binding)
    with lane.open():
        yield EmbeddedLane(request.config, lane)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    session = config.stash[SESSION]
    if session.replayed is not None:
        terminalreporter.section("statemachine: replay")
        terminalreporter.write_line(f"{session.replayed.outcome}  {session.replayed.reason}")
    elif session.run is not None and session.run.examples:
        terminalreporter.section("statemachine: embedded lane")
        for line in run_summary(session.run, session.binding.waived, LIMITS):
            terminalreporter.write_line(line)
