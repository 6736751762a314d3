"""What the tests of ``pytest statemachine/`` play, one class a lane: a search, a replay, real processes.

A lane fails its test with a report in place of a traceback.  What it plays and what that shows is said where
the lane itself is (``embedded.py``, ``processes/``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from statemachine import distributed, failures
from statemachine.binding import BindingError
from statemachine.command import MISUSED
from statemachine.embedded import LIMITS, search
from statemachine.example import Lane
from statemachine.explain import Why, explain
from statemachine.history import Event
from statemachine.ndjson import Header
from statemachine.progress import Progress
from statemachine.replay import Outcome, ReplayError, replay
from statemachine.report.paper import MARGIN
from statemachine.report.regression import NAME
from statemachine.report.summary import MEANING, verdict_line
from statemachine.report.text import failure_report, to_reproduce
from statemachine.report.timeline import pages
from statemachine.run import Failure, Run
from statemachine.session import SESSION, Session
from statemachine.verdict import Verdict


def _lengths(run: Run) -> str:
    if run.failure is None or run.first_failure is None:
        return ""
    return f"{len(run.first_failure.steps)} → {len(run.failure.steps)}"


def _fail(session: Session, report: str, headline: str) -> NoReturn:
    """Fail the lane's test with ``report`` for a traceback; ``headline`` is for where there is one line."""
    session.headline = headline
    pytest.fail(report, pytrace=False)


class EmbeddedLane:
    """What the lane's test plays: a search, or the replay of a saved history."""

    def __init__(self, config: pytest.Config, lane: Lane) -> None:
        self.config = config
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
            distributed.stop(self.config, f"--binding {self.session.binding_path}: {error}")
        except BaseException:
            self.lane.faults.abandon()
            if run.failure is not None:  # found, not yet shrunk or explained: nothing found is lost
                self.session.notes.append(self._report(run, run.failure))
                self.session.untold = []
            else:
                self._write_page(lambda: self._page_of(run))
            raise
        finally:
            self.progress.clear()
        if run.failure is not None:
            _fail(self.session, self._report(run, run.failure, why), verdict_line(run))
        self._write_page(lambda: self._page_of(run))
        if run.verdict is Verdict.UNKNOWN:
            wrap = self.session.paper.wrap
            doubts = "\n".join(line for doubt in run.doubts() for line in wrap(doubt, MARGIN, "        "))
            _fail(self.session, f"UNKNOWN  {MEANING[Verdict.UNKNOWN]}:\n{doubts}", verdict_line(run))

    def _page_of(self, run: Run) -> str:
        session = self.session
        return pages.of_run(
            session.header(),
            run,
            waived=session.binding.waived,
            limits=LIMITS,
            again=session.search_command(),
        )

    def _report(self, run: Run, failure: Failure, why: Why | None = None) -> str:
        looked_at = (
            f"Looked at {run.finding_examples} examples until it was found, after {run.found_after:.1f} s; "
            f"shrunk {_lengths(run)} steps in {run.seconds - (run.found_after or 0):.1f} s"
        )
        if run.unstable:
            looked_at += (
                f"\n  Hypothesis could not repeat it ({run.unstable}): please report that as a bug of ours"
            )

        def page(reproduce: Sequence[str]) -> str:
            return pages.of_failure(
                self.session.header(), failure, why=why, reproduce=reproduce, looked_at=looked_at, run=run
            )

        reproduce, shown = self._saved(failure, page)
        self._write_page(lambda: page(reproduce))
        paper = self.session.paper
        self.session.untold = to_reproduce(reproduce, paper)
        return failure_report(
            self.lane.binding.lifecycle,
            failure,
            why=why,
            reproduce=[*reproduce, *shown],
            looked_at=looked_at,
            paper=paper,
        )

    def _saved(self, failure: Failure, page: Callable[[Sequence[str]], str]) -> tuple[list[str], list[str]]:
        """Save it, and say how to play it again and where it can be looked at.

        No line names a file that is not there.
        """
        session = self.session
        try:
            saved = failures.save(
                session.header(), failure, session.test_command, lambda saved: page(self._again(saved))
            )
        except OSError as error:
            again = session.search_command()
            return [f"{again}   (the history could not be saved: {error})"], []
        return self._again(saved), [saved.page_line]

    def _again(self, saved: failures.Saved) -> list[str]:
        replayed = self.session.replay_command(saved.folder.as_posix())
        if saved.test is None:
            return [replayed, f"(the plain test could not be saved: {saved.lacks})"]
        return [replayed, *self._plain_test(saved.test)]

    def _write_page(self, page: Callable[[], str]) -> None:
        """Write the page where ``--report`` wants it; what cannot be written is said at the end."""
        file = self.session.report
        if file is None:
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            failures.write_whole(file, page().encode())
        except OSError as error:
            self.session.notes.append(f"--report {file}: the page could not be written ({error})")
        else:
            self.session.notes.append(f"--report: the page is in {file}")

    def _plain_test(self, test: Path) -> list[str]:
        if not test.is_file():
            return []
        return ["or, as a plain test without Hypothesis,", self.session.test_command(test.as_posix())]

    def _replay(self, header: Header, events: list[Event]) -> None:
        try:
            played = self.session.replayed = replay(self.lane, header, events)
        except ReplayError as error:
            distributed.stop(self.config, f"--replay {self.session.replay_path}: {error}")
        path = Path(str(self.session.replay_path))
        failure = played.failure if played.outcome is Outcome.REPRODUCED else None
        why = explain(self.lane, failure) if failure is not None else None
        again = self.session.replay_command(str(path))
        self._write_page(
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
            reproduce = [again, *self._plain_test((path if path.is_dir() else path.parent) / NAME)]
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
        self.session = config.stash[SESSION]
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
