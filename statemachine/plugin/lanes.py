"""What the tests of ``pytest statemachine/`` play, one class a lane: a search, a replay, real processes.

A lane fails its test with a report in place of a traceback.  What it plays and what that shows is said where
the lane itself is (``embedded.py``, ``processes/``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from statemachine.binding import BindingError
from statemachine.history.events import Event
from statemachine.history.ndjson import Header
from statemachine.history.words import counted
from statemachine.invariants import Verdict
from statemachine.plugin import xdist as distributed
from statemachine.plugin.progress import FuzzProgress, Progress
from statemachine.report import failure_folder as failures
from statemachine.report.console import MISUSED
from statemachine.report.failure_reports import Reports
from statemachine.report.plain_tests import NAME
from statemachine.report.session import SESSION, Session
from statemachine.report.text.closing import doubt_lines, strategy_lines
from statemachine.report.text.failure import failure_report, to_reproduce
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import MARGIN
from statemachine.report.text.summary import MEANING, verdict_line
from statemachine.report.timeline import pages
from statemachine.search import run_file as runfile
from statemachine.search.corpus.entries import Corpus
from statemachine.search.exhaustive import Exhaustion, NeverBoth
from statemachine.search.findings import Findings
from statemachine.search.fuzzing.campaign import Campaign, Fuzz
from statemachine.search.fuzzing.searches import Size, System
from statemachine.search.lanes import EMBEDDED, KINDS
from statemachine.search.run import Run
from statemachine.search.run_file import RunFile
from statemachine.search.strategy import PlainSearch, SearchStrategy
from statemachine.search.triage.explain import Why, explain
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.replay import Outcome, ReplayError, replay
from statemachine.world.lane import Lane, Lost


def _fail(session: Session, report: str, headline: str) -> NoReturn:
    """Fail the lane's test with ``report`` for a traceback; ``headline`` is for where there is one line."""
    session.headline = headline
    pytest.fail(report, pytrace=False)


class PlayedLane:
    """What the test of a lane plays that plays examples: a search, or the replay of a saved history.

    ``session`` is the lane's own part of the run's.
    """

    def __init__(self, config: pytest.Config, session: Session, lane: Lane) -> None:
        self.config = config
        self.session = session
        self.kind = KINDS[session.lane]
        self.lane = lane
        self.progress = Progress(config)
        self.reports = Reports(self.session)
        self.most_failures: int = config.getoption("maxfail") or 0

    def play(self) -> None:
        """Fails the test, with a report instead of a traceback, unless the verdict is PASS or FIXED."""
        try:
            self._play()
        except Lost as error:
            self._stop(error)
        except (Exception, pytest.fail.Exception):
            # Without its server a lane shows what no system under test has done.
            try:
                self.lane.check()
            except Lost as error:
                self._stop(error)
            raise

    def _stop(self, lost: Lost) -> NoReturn:
        distributed.stop(self.config, f"--lane {self.session.lane}: {lost}")

    def _play(self) -> None:
        if self.session.saved is not None:
            self._replay(*self.session.saved)
        else:
            self._seek(self._strategy())

    def _strategy(self) -> SearchStrategy:
        session, profile = self.session, settings()
        corpus = Corpus(session.corpus, session.header())
        if session.exhaust is not None:
            return Exhaustion(self.lane, corpus, session.exhaust, self.progress, self.kind)
        if not session.fuzz_seconds:
            first = self.most_failures == 1
            return PlainSearch(self.lane, corpus, session.seed, self.progress, first, self.kind)
        size = Size(profile.max_examples, profile.stateful_step_count)
        system = System(session.binding_path, session.defect, session.clock_skew_seconds)
        asked = Fuzz(system, session.seed, session.fuzz_seconds, session.processes, size)
        told = FuzzProgress(self.progress, asked.seconds, session.paper)
        return Campaign(self.lane, corpus, asked, told, self.most_failures)

    def _seek(self, strategy: SearchStrategy) -> None:
        session, run = self.session, strategy.total
        session.run = run
        found = Findings()
        report = ""
        self._forget_the_last_run()
        try:
            strategy.run()
            self._write_run(strategy)
            self.progress.show(f"  shrinking {counted(len(strategy.findings), 'failure')}")
            found = strategy.findings.minimised(self.lane)
            report = self._told(found, run, partial(explain, self.lane))
        except BindingError as error:
            self.lane.abandon()
            distributed.stop(self.config, f"--binding {session.binding_path}: {error}")
        except NeverBoth as error:
            distributed.stop(self.config, str(error))
        except BaseException:
            self.lane.abandon()
            # Found, and perhaps not yet shrunk or explained: nothing found is lost.
            session.notes.append(self._told(found or strategy.findings, run, lambda failure: None))
            session.untold = []
            raise
        finally:
            self.progress.clear()
            strategy.corpus.flush()
            session.closing += strategy_lines(strategy.figures())
            self._write_run(strategy)
        if strategy.interrupted:
            session.notes.append(report)
            session.untold = []
            raise KeyboardInterrupt
        if report:
            _fail(session, report, verdict_line(run))
        if run.verdict is Verdict.UNKNOWN:
            wrap = session.paper.wrap
            doubts = "\n".join(
                line for doubt in doubt_lines(run.doubts()) for line in wrap(doubt, MARGIN, "        ")
            )
            _fail(session, f"UNKNOWN  {MEANING[Verdict.UNKNOWN]}:\n{doubts}", verdict_line(run))

    def _forget_the_last_run(self) -> None:
        """A run that is killed must not be taken for the one before it."""
        if self.kind is not EMBEDDED:
            return
        with suppress(OSError):
            (failures.FOLDER / runfile.NAME).unlink()

    def _write_run(self, strategy: SearchStrategy) -> None:
        """Leave ``run.json`` for whoever adds up several runs of the lane that is fast enough for many."""
        if self.kind is not EMBEDDED:
            return
        session, run = self.session, strategy.total
        file = failures.FOLDER / runfile.NAME
        left = RunFile(
            session.binding_path,
            self.lane.binding.lifecycle,
            session.defect,
            session.seed,
            session.processes,
            run.tally,
            len(strategy.findings),
            run.finished,
            tuple(session.closing),
        )
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            failures.write_whole(file, runfile.dumps(left).encode())
        except OSError as error:
            note = f"{file} could not be written ({error}): this run cannot be merged"
            session.notes += [note] if note not in session.notes else []

    def _told(self, found: Findings, run: Run, explained: Callable[[Failure], Why | None]) -> str:
        """The reports of what was found, empty for nothing; and the page of the run, if it is wanted."""
        if not found:
            self.reports.write_page(lambda: self._page_of(run))
            return ""
        run.failure = found.shortest
        return self.reports.of_all(found, run, explained)

    def _page_of(self, run: Run) -> str:
        session = self.session
        return pages.of_run(
            session.header(),
            run,
            waived=session.binding.waived,
            limits=LIMITS[self.session.lane],
            again=session.search_command(),
        )

    def _replay(self, header: Header, events: list[Event]) -> None:
        try:
            played = self.session.replayed = replay(self.lane, header, events)
        except ReplayError as error:
            distributed.stop(self.config, f"--replay {self.session.replay_path}: {error}")
        path = Path(str(self.session.replay_path))
        failure = played.failure if played.outcome is Outcome.REPRODUCED else None
        why = explain(self.lane, failure) if failure is not None else None
        again = self.session.replay_command(str(path))
        self.reports.write_page(
            lambda: pages.of_replay(
                self.session.header(),
                played.events,
                outcome=str(played.outcome),
                reason=played.reason,
                failure=played.failure,
                why=why,
                again=again,
            )
        )
        paper = self.session.paper
        if failure is not None:
            reproduce = [again, *self.reports.plain_test((path if path.is_dir() else path.parent) / NAME)]
            headline = f"FAIL  {failure.headline.invariant}: {failure.headline.story}"
            self.session.untold = [*paper.wrap(headline, "", MARGIN), *to_reproduce(reproduce, paper)]
            report = failure_report(
                self.lane.binding.lifecycle,
                failure,
                why=why,
                reproduce=reproduce,
                looked_at=f"{played.outcome} from {path}",
                paper=paper,
            )
            _fail(self.session, report, headline)
        if played.outcome is not Outcome.FIXED:
            self.session.untold = to_reproduce([again], paper)
            _fail(self.session, "\n".join(paper.wrap(played.sentence, "", MARGIN)), played.sentence)


class ProcessesLane:
    """Real workers, in processes of their own: this one's clock is frozen, and its Django has no file."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.session = config.stash[SESSION].of_lane("processes")
        self.progress = Progress(config)

    def play(self) -> None:
        """Run ``python -m statemachine processes`` and fail the test unless its verdict is PASS."""
        session = self.session
        command = [sys.executable, "-m", "statemachine", *session.processes_options()]
        told: list[str] = []
        paper = session.paper
        shown = {"COLUMNS": str(paper.width), "PYTHONIOENCODING": paper.encoding}
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding=paper.encoding,
            env={**os.environ, **shown},
        ) as process:
            try:
                for line in process.stdout or ():
                    told.append(line.rstrip("\n"))
                    self.progress.show(told[-1])
                code = process.wait()
            except BaseException:
                # It stops its workers then, and is waited for.
                process.terminate()
                raise
            finally:
                self.progress.clear()
        if code == MISUSED:
            distributed.stop(
                self.config, told[-1] if told else "python -m statemachine processes said nothing"
            )
        if code:
            headline = told[-1] if told else f"FAIL  {' '.join(command[1:])} said nothing (exit code {code})"
            session.untold = told
            _fail(session, "\n".join(told) or headline, headline)
        session.told = told
