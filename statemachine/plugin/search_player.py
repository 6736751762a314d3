"""Plays a search in a pytest test: reports its failures, writes ``run.json``, loses nothing on Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from statemachine.binding import BindingError
from statemachine.history.words import counted
from statemachine.plugin.ending import fail, stop
from statemachine.plugin.progress import Progress
from statemachine.plugin.run_json import forget_run, write_run
from statemachine.report.failure_folder import FOLDER
from statemachine.report.failure_reports import Reported, page_of_run, report_failures, write_report_page
from statemachine.report.housekeeping import prune
from statemachine.report.outcome import Outcome
from statemachine.report.text.figures import accepted_lines, strategy_lines
from statemachine.report.text.summary import doubts_report, verdict_line
from statemachine.search.corpus.places import Directory
from statemachine.search.exhaustive import NeverBoth
from statemachine.search.run import Run, Verdict
from statemachine.search.strategy import SearchStrategy
from statemachine.search.tally import Part
from statemachine.search.triage.alone import FreshProcess
from statemachine.search.triage.budget import TimeBudget
from statemachine.search.triage.confirm import confirmed
from statemachine.search.triage.explain import Why, explain
from statemachine.search.triage.failure import Failure
from statemachine.world.lane import Lane

MINIMISING = 0.8
"""Part of the time for minimising and explaining that minimising may take."""


class SearchPlayer:
    """Plays one search on an open lane and fills in its outcome."""

    def __init__(
        self,
        config: pytest.Config,
        outcome: Outcome,
        lane: Lane,
        progress: Progress,
        process: FreshProcess | None,
    ) -> None:
        self.config = config
        self.outcome = outcome
        self.asked = outcome.asked
        self.lane = lane
        self.progress = progress
        self.process = process
        self._page_written = False
        self._saved: list[Path] = []
        """Failure folders of this run."""

    def play(self, strategy: SearchStrategy) -> None:
        """Search; fail the test with a report unless the verdict is PASS."""
        run = self.outcome.run = strategy.total
        if self.process is not None:
            run.confirmed = partial(confirmed, process=self.process)
        forget_run(self.asked)
        try:
            strategy.run()
            self._write_run(strategy)
            self.progress.show(f"  shrinking {counted(len(run.findings), 'failure')}")
            seconds = self.asked.minimise_seconds
            time = TimeBudget(seconds)
            run.minimise(TimeBudget(seconds * MINIMISING))
            with run.spending(Part.FAILURES):
                reported = self._report(run, partial(explain, self.lane, time=time))
        except BindingError as error:
            self.lane.abandon()
            stop(self.config, f"--binding {self.asked.binding_path}: {error}")
        except NeverBoth as error:
            stop(self.config, str(error))
        except BaseException:
            self.lane.abandon()
            # Found, and perhaps not yet minimised or explained: it is reported as far as it is known.
            self._note(self._report(run, lambda failure: None))
            raise
        finally:
            self.progress.clear()
            strategy.corpus.flush()
            self.outcome.remarks += [
                *strategy_lines(strategy.figures()),
                *accepted_lines(run),
                *self._prune(),
            ]
            self._write_run(strategy)
        if strategy.interrupted:
            self._note(reported)
            raise KeyboardInterrupt
        if reported.text:
            self.outcome.unshown = reported.unshown
            fail(self.outcome, reported.text, verdict_line(run))
        if run.verdict is Verdict.UNKNOWN:
            fail(self.outcome, doubts_report(run, self.asked.paper), verdict_line(run))
        self.outcome.vouched = True

    def _report(self, run: Run, explained: Callable[[Failure], Why | None]) -> Reported:
        """Report what was found, and write the page of the run if it is asked for."""
        reported = report_failures(self.asked, run, explained)
        self._saved = [Path(folder) for folder in reported.folders.values()]
        if self.asked.report is not None and not self._page_written:
            self._page_written = True
            page = reported.page or page_of_run(self.asked, run)
            self.outcome.notes.append(write_report_page(self.asked.report, page))
        return reported

    def _prune(self) -> list[str]:
        """Delete old failure folders, and return the line that says so."""
        place = self.asked.corpus
        spared = [*self._saved, *([place.folder] if isinstance(place, Directory) else [])]
        try:
            deleted = len(prune(FOLDER, self.asked.keep_failures, spared))
        except OSError as error:
            return [f"{FOLDER} could not be cleared of old failures ({error})"]
        kept = f"{FOLDER} keeps the newest {self.asked.keep_failures} failures (--keep-failures)"
        return [f"{kept}: {deleted} deleted"] if deleted else []

    def _note(self, reported: Reported) -> None:
        """Print a report at the end, where the test itself is interrupted and shows none."""
        if reported.text:
            self.outcome.notes.append(reported.text)

    def _write_run(self, strategy: SearchStrategy) -> None:
        for note in write_run(self.asked, strategy, self.outcome.remarks):
            if note not in self.outcome.notes:
                self.outcome.notes.append(note)
