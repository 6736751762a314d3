"""Tells of failures and keeps them: a text for the terminal, a folder for each, and the page of ``--report``.

No line names a file that is not there; what could not be written is said in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from statemachine.history.words import counted
from statemachine.report import failure_folder as failures
from statemachine.report.session import Session
from statemachine.report.text.closing import how_found
from statemachine.report.text.failure import failure_report, to_reproduce, what_broke
from statemachine.report.text.paper import MARGIN
from statemachine.report.timeline.pages import of_failure
from statemachine.search.findings import Finding, Findings
from statemachine.search.run import Run
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Shape


class Reports:
    """The reports of one session.  ``folders`` says where the failures that were told are kept, by shape."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.folders: dict[Shape, str] = {}

    def of(
        self,
        found: Finding,
        run: Run,
        why: Why | None,
        *,
        more: Sequence[str] = (),
        alone: bool = True,
    ) -> str:
        """The whole report of one finding, which is saved as well; ``more`` is said under it.

        One that is ``alone`` is the headline of the run as well.
        """
        reproduce, shown = self._saved(found, run, why)
        self.write_page(lambda: self._page(found, run, why, reproduce))
        paper, seen = self.session.paper, found.failure.headline
        if not alone:
            self.session.untold += paper.wrap(f"FAIL  {seen.invariant}: {seen.story}", "", MARGIN)
        self.session.untold += to_reproduce(reproduce, paper)
        told = failure_report(
            self.session.binding.lifecycle,
            found.failure,
            why=why,
            reproduce=[*reproduce, *shown],
            looked_at=how_found(found),
            paper=paper,
        )
        return "\n".join([told, *map(paper.spelt, more)])

    def of_all(self, found: Findings, run: Run, explain: Callable[[Failure], Why | None]) -> str:
        """One report for each claim that broke, the shortest first, and a line for each other shape of it."""
        groups = found.by_claim()
        told = [
            self.of(
                first,
                run,
                explain(first.failure),
                more=[*self._others(others, run)] if others else (),
                alone=len(groups) == 1,
            )
            for first, *others in groups
        ]
        if len(found) == 1:
            return told[0]
        head = f"{len(found)} distinct failures of {counted(len(groups), 'claim')}, the shortest first"
        return "\n\n".join([head, *told])

    def _others(self, others: Sequence[Finding], run: Run) -> Iterator[str]:
        yield "  The same claim, broken otherwise"
        for found in others:
            reproduce, shown = self._saved(found, run, None)
            yield f"    {found.shape}; {counted(found.steps, 'step')}, met {counted(found.times)}"
            yield f"      {reproduce[0]}"
            if not shown:  # it is nowhere else
                yield from what_broke(self.session.binding.lifecycle, found.failure, self.session.paper)

    def _saved(self, found: Finding, run: Run, why: Why | None) -> tuple[list[str], list[str]]:
        """Save it, and say how to play it again and where it can be looked at, empty for nowhere."""
        header, failure = self.session.header(found.seed), found.failure
        try:
            saved = failures.save(
                header,
                failure,
                self.session.test_command,
                lambda saved: self._page(found, run, why, self.again(saved)),
            )
        except OSError as error:
            again = self.session.search_command(found.seed)
            return [f"{again}   (the history could not be saved: {error})"], []
        self.folders[failure.shape] = saved.folder.as_posix()
        return self.again(saved), [saved.page_line]

    def _page(self, found: Finding, run: Run, why: Why | None, reproduce: Sequence[str]) -> str:
        return of_failure(
            self.session.header(found.seed),
            found.failure,
            why=why,
            reproduce=reproduce,
            looked_at=how_found(found),
            run=run,
        )

    def again(self, saved: failures.Saved) -> list[str]:
        """How to play a saved failure again, a line each."""
        replayed = self.session.replay_command(saved.folder.as_posix())
        if saved.test is None:
            return [replayed, f"(the plain test could not be saved: {saved.lacks})"]
        return [replayed, *self.plain_test(saved.test)]

    def plain_test(self, test: Path) -> list[str]:
        if not test.is_file():
            return []
        return ["or, as a plain test without Hypothesis,", self.session.test_command(test.as_posix())]

    def write_page(self, page: Callable[[], str]) -> None:
        """Write the page where ``--report`` wants it, once; what cannot be written is said at the end."""
        file = self.session.report
        if file is None or self.session.page_written:
            return
        self.session.page_written = True
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            failures.write_whole(file, page().encode())
        except OSError as error:
            self.session.notes.append(f"--report {file}: the page could not be written ({error})")
        else:
            self.session.notes.append(f"--report: the page is in {file}")
