"""Plays a search in a pytest test: reports its failures, writes ``run.json``, loses nothing on Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from statemachine.binding import BindingError
from statemachine.history.words import counted
from statemachine.invariants import Verdict
from statemachine.plugin.ending import fail, stop
from statemachine.plugin.progress import Progress
from statemachine.report.failure_folder import FOLDER, write_whole
from statemachine.report.failure_reports import Reported, report_failures, write_report_page
from statemachine.report.outcome import Outcome
from statemachine.report.text.figures import doubt_lines, strategy_lines
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import MARGIN
from statemachine.report.text.summary import MEANING, verdict_line
from statemachine.report.timeline import pages
from statemachine.search import run_file
from statemachine.search.exhaustive import NeverBoth
from statemachine.search.findings import Findings
from statemachine.search.lanes import EMBEDDED
from statemachine.search.run import Run
from statemachine.search.run_file import RunFile
from statemachine.search.strategy import SearchStrategy
from statemachine.search.triage.explain import Why, explain
from statemachine.search.triage.failure import Failure
from statemachine.world.lane import Lane


class SearchPlayer:
    """Plays one search on an open lane and fills in its outcome."""

    def __init__(self, config: pytest.Config, outcome: Outcome, lane: Lane, progress: Progress) -> None:
        self.config = config
        self.outcome = outcome
        self.asked = outcome.asked
        self.lane = lane
        self.progress = progress
        self._page_written = False

    def play(self, strategy: SearchStrategy) -> None:
        """Search; fail the test with a report unless the verdict is PASS."""
        run = self.outcome.run = strategy.total
        found = Findings()
        self._forget_the_last_run()
        try:
            strategy.run()
            self._write_run(strategy)
            self.progress.show(f"  shrinking {counted(len(strategy.findings), 'failure')}")
            found = strategy.findings.minimised(self.lane)
            reported = self._report(found, run, partial(explain, self.lane))
        except BindingError as error:
            self.lane.abandon()
            stop(self.config, f"--binding {self.asked.binding_path}: {error}")
        except NeverBoth as error:
            stop(self.config, str(error))
        except BaseException:
            self.lane.abandon()
            # Found, and perhaps not yet minimised or explained: it is reported as far as it is known.
            self._note(self._report(found or strategy.findings, run, lambda failure: None))
            raise
        finally:
            self.progress.clear()
            strategy.corpus.flush()
            self.outcome.remarks += strategy_lines(strategy.figures())
            self._write_run(strategy)
        if strategy.interrupted:
            self._note(reported)
            raise KeyboardInterrupt
        self._judge(run, reported)

    def _judge(self, run: Run, reported: Reported) -> None:
        if reported.text:
            self.outcome.unshown = reported.unshown
            fail(self.outcome, reported.text, verdict_line(run))
        if run.verdict is Verdict.UNKNOWN:
            wrap = self.asked.paper.wrap
            doubts = [line for doubt in doubt_lines(run.doubts()) for line in wrap(doubt, MARGIN, "        ")]
            report = "\n".join([f"UNKNOWN  {MEANING[Verdict.UNKNOWN]}:", *doubts])
            fail(self.outcome, report, verdict_line(run))

    def _report(self, found: Findings, run: Run, explained: Callable[[Failure], Why | None]) -> Reported:
        """Report what was found, and write the page of the run if it is asked for."""
        if found:
            run.failure = found.shortest
        reported = report_failures(self.asked, found, run, explained)
        if self.asked.report is not None and not self._page_written:
            self._page_written = True
            page = reported.page or self._page_of(run)
            self.outcome.notes.append(write_report_page(self.asked.report, page))
        return reported

    def _page_of(self, run: Run) -> str:
        return pages.of_run(
            self.asked.header(),
            run,
            waived=self.asked.binding.waived,
            limits=LIMITS[self.asked.lane],
            again=self.asked.search_command(),
        )

    def _note(self, reported: Reported) -> None:
        """Print a report at the end, where the test itself is interrupted and shows none."""
        if reported.text:
            self.outcome.notes.append(reported.text)

    # -- run.json ---------------------------------------------------------------------------

    def _forget_the_last_run(self) -> None:
        """A run that is killed must not be taken for the one before it."""
        if self.asked.lane != EMBEDDED.name:
            return
        with suppress(OSError):
            (FOLDER / run_file.NAME).unlink()

    def _write_run(self, strategy: SearchStrategy) -> None:
        """Write ``run.json``, which ``merge`` adds up: of the lane that is fast enough for many runs."""
        if self.asked.lane != EMBEDDED.name:
            return
        asked, run = self.asked, strategy.total
        left = RunFile(
            asked.binding_path,
            asked.binding.lifecycle,
            asked.defect,
            asked.seed,
            asked.processes,
            run.tally,
            len(strategy.findings),
            run.finished,
            tuple(self.outcome.remarks),
        )
        file = FOLDER / run_file.NAME
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, run_file.dumps(left).encode())
        except OSError as error:
            note = f"{file} could not be written ({error}): this run cannot be merged"
            self.outcome.notes += [note] if note not in self.outcome.notes else []
