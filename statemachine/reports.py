"""Tells of failures and keeps them: a text for the terminal, a folder for each, and the page of ``--report``.

No line names a file that is not there; what could not be written is said in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from statemachine import failures
from statemachine.explain import Why
from statemachine.findings import Finding, Findings
from statemachine.invariants.claim import times
from statemachine.report.text import failure_report
from statemachine.report.timeline.pages import of_failure
from statemachine.run import Failure, Run
from statemachine.session import Session
from statemachine.shape import Shape


class Reports:
    """The reports of one session.  ``folders`` says where the failures that were told are kept, by shape."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.folders: dict[Shape, str] = {}

    def of(
        self, failure: Failure, *, why: Why | None, looked_at: str, run: Run, more: Sequence[str] = ()
    ) -> str:
        """The whole report of one failure, which is saved as well; ``more`` is said under it."""

        def page(reproduce: Sequence[str]) -> str:
            return of_failure(
                self.session.header(), failure, why=why, reproduce=reproduce, looked_at=looked_at, run=run
            )

        reproduce, shown = self._saved(failure, page)
        self.write_page(lambda: page(reproduce))
        told = failure_report(
            self.session.binding.lifecycle,
            failure,
            why=why,
            reproduce=[*reproduce, *shown],
            looked_at=looked_at,
        )
        return "\n".join([told, *more])

    def of_all(self, found: Findings, run: Run, explain: Callable[[Failure], Why | None]) -> str:
        """One report for each claim that broke, the shortest first, and a line for each other shape of it."""
        groups = found.by_claim()
        told = [
            self.of(
                first.failure,
                why=explain(first.failure),
                looked_at=_looked_at(first),
                run=run,
                more=[*self._others(others, run)] if others else (),
            )
            for first, *others in groups
        ]
        if len(found) == 1:
            return told[0]
        head = f"{len(found)} distinct failures of {times(len(groups), 'claim')}, the shortest first"
        return "\n\n".join([head, *told])

    def _others(self, others: Sequence[Finding], run: Run) -> Iterator[str]:
        yield "  The same claim, broken otherwise"
        for found in others:
            saved = self._folder(found, run)
            again = self.session.replay_command(saved) if saved else "(it could not be saved)"
            yield f"    {found.shape}; {times(len(found.failure.steps), 'step')}, met {times(found.times)}"
            yield f"      {again}"

    def _folder(self, found: Finding, run: Run) -> str:
        def page(saved: failures.Saved) -> str:
            return of_failure(
                self.session.header(),
                found.failure,
                why=None,
                reproduce=self.again(saved),
                looked_at=_looked_at(found),
                run=run,
            )

        try:
            return self._save(found.failure, page).folder.as_posix()
        except OSError:
            return ""

    def _saved(self, failure: Failure, page: Callable[[Sequence[str]], str]) -> tuple[list[str], list[str]]:
        """Save it, and say how to play it again and where it can be looked at."""
        try:
            saved = self._save(failure, lambda saved: page(self.again(saved)))
        except OSError as error:
            again = self.session.search_command()
            return [f"{again}   (the history could not be saved: {error})"], []
        return self.again(saved), [saved.page_line]

    def _save(self, failure: Failure, page: Callable[[failures.Saved], str]) -> failures.Saved:
        saved = failures.save(self.session.header(), failure, self.session.test_command, page)
        self.folders[failure.shape] = saved.folder.as_posix()
        return saved

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


def _looked_at(found: Finding) -> str:
    """What was played until it was found, how often it was met, and how much shorter it is now."""
    told = (
        f"{found.looked_at}; shrunk {found.found_steps} → {found.steps} steps in {found.shrink_seconds:.1f} s"
    )
    if found.times > 1:
        told += f"\n  Met {times(found.times)}"
    if found.unstable:
        told += f"\n  Hypothesis could not repeat it ({found.unstable}): please report that as a bug of ours"
    return told
