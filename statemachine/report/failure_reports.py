"""From a failure to its report: save the history, write the page, render the text.

No line names a file that is not there; what could not be written is said in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from statemachine.history.words import counted
from statemachine.report.asked import Asked
from statemachine.report.failure_folder import Saved, plain_test_line, save, save_page, write_whole
from statemachine.report.plain_tests import NAME
from statemachine.report.text.failure import failure_report, to_reproduce, what_broke
from statemachine.report.text.figures import how_found, merged_lines
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import MARGIN
from statemachine.report.text.replay import replay_reason, replay_sentence
from statemachine.report.timeline import pages
from statemachine.search.findings import Finding
from statemachine.search.run import Run
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.replay import Replayed, ReplayOutcome
from statemachine.search.triage.signature import Signature


@dataclass(frozen=True)
class Reported:
    """The report of a run's failures; empty when there are none."""

    text: str = ""
    unshown: list[str] = field(default_factory=list)
    """Without these lines a failure could not be seen again where ``text`` is not shown."""
    page: str = ""
    """The timeline of the first failure, as HTML."""
    headline: str = ""
    """What came of a replay, in a line."""
    folders: Mapping[Signature, str] = field(default_factory=dict)
    """Where each failure is kept, by its signature; one that could not be saved is not in it."""


class _Kept(NamedTuple):
    """A failure that was saved, as far as that could be done."""

    folder: str
    """Empty when the history could not be saved."""
    page: str
    reproduce: list[str]
    """How to play it again, a line each."""
    look: list[str]
    """Where its page is."""


def report_failures(asked: Asked, run: Run, explain: Callable[[Failure], Why | None]) -> Reported:
    """Report each claim that broke once, the shortest first, and name other failures of it in a line each."""
    found = run.open_findings
    groups = found.by_claim()
    reports = [
        report_failure(asked, first, run, _why(first, explain), others, alone=len(groups) == 1)
        for first, *others in groups
    ]
    if not reports:
        return Reported()
    text = "\n\n".join(report.text for report in reports)
    if len(found) > 1:
        claims = counted(len(groups), "claim")
        text = f"{len(found)} distinct failures of {claims}, the shortest first\n\n{text}"
    return Reported(
        text,
        [line for report in reports for line in report.unshown],
        reports[0].page,
        folders={signature: folder for report in reports for signature, folder in report.folders.items()},
    )


def _why(found: Finding, explain: Callable[[Failure], Why | None]) -> Why | None:
    """Explain a failure by re-runs, unless they would run on what this process remembers."""
    return None if found.misled else explain(found.failure)


def report_failure(
    asked: Asked,
    found: Finding,
    run: Run,
    why: Why | None,
    others: Sequence[Finding] = (),
    *,
    alone: bool = True,
) -> Reported:
    """Save one failure and report it; ``others`` break the same claim otherwise, and are saved as well.

    The verdict of the run names a failure that is ``alone``; another one must name itself.
    """
    kept = _keep(asked, found, run, why)
    folders = {found.signature: kept.folder} if kept.folder else {}
    paper, seen = asked.paper, found.failure.headline
    text = failure_report(
        asked.binding.lifecycle,
        found.failure,
        why=why,
        reproduce=[*kept.reproduce, *kept.look],
        looked_at=how_found(found),
        paper=paper,
    )
    more = ["  The same claim, broken otherwise"] if others else []
    for other in others:
        also = _keep(asked, other, run, None)
        folders |= {other.signature: also.folder} if also.folder else {}
        more += _in_short(asked, other, also)
    named = [] if alone else paper.wrap(f"FAIL  {seen.invariant}: {seen.story}", "", MARGIN)
    return Reported(
        "\n".join([text, *map(paper.spelt, more)]),
        [*named, *to_reproduce(kept.reproduce, paper)],
        kept.page,
        folders=folders,
    )


def _keep(asked: Asked, found: Finding, run: Run, why: Why | None) -> _Kept:
    """Save the history and the plain test, and write the page beside them."""
    try:
        saved = save(asked.header(found.seed), found.failure, asked.test_command(), earlier=found.earlier)
    except OSError as error:
        again = asked.search_command(found.seed)
        reproduce = [f"{again}   (the history could not be saved: {error})"]
        return _Kept("", _page(asked, found, run, why, reproduce), reproduce, [])
    reproduce = _again(asked, saved)
    page = _page(asked, found, run, why, reproduce)
    saved = save_page(saved, page)
    return _Kept(saved.folder.as_posix(), page, reproduce, [saved.page_line])


def _page(asked: Asked, found: Finding, run: Run, why: Why | None, reproduce: Sequence[str]) -> str:
    return pages.of_failure(
        asked.header(found.seed),
        found.failure,
        why=why,
        reproduce=reproduce,
        looked_at=how_found(found),
        run=run,
    )


def _again(asked: Asked, saved: Saved) -> list[str]:
    """How to play a saved failure again, and where its plain test is, a line each."""
    return [*_replays(asked, saved.folder.as_posix()), saved.test_line]


def _replays(asked: Asked, path: str) -> list[str]:
    return [asked.replay_command(path), "or, to stop where it breaks,", asked.debug_command(path)]


def _in_short(asked: Asked, found: Finding, kept: _Kept) -> Iterator[str]:
    yield f"    {found.signature}; {counted(found.steps, 'step')}, met {counted(found.times)}"
    yield from (f"      {line}" for line in merged_lines(found))
    yield f"      {kept.reproduce[0]}"
    if not kept.look:  # it is nowhere else
        yield from what_broke(asked.binding.lifecycle, found.failure, asked.paper)


def report_replay(asked: Asked, played: Replayed, why: Why | None) -> Reported:
    """Report what came of the replay that is asked for; there is no text where the failure is mended."""
    path, paper = Path(str(asked.replay_path)), asked.paper
    again = asked.replay_command(str(path))
    page = pages.of_replay(
        asked.header(),
        played.events,
        outcome=str(played.outcome),
        reason=replay_reason(played),
        failure=played.failure,
        why=why,
        again=again,
    )
    if played.outcome is ReplayOutcome.FIXED:
        return Reported(page=page)
    failure = played.failure
    if failure is None or played.outcome is not ReplayOutcome.REPRODUCED:
        sentence = replay_sentence(played)
        text = "\n".join(paper.wrap(sentence, "", MARGIN))
        return Reported(text, to_reproduce([again], paper), page, sentence)
    test = (path if path.is_dir() else path.parent) / NAME
    reproduce = [*_replays(asked, str(path)), *([plain_test_line(test)] if test.is_file() else [])]
    text = failure_report(
        asked.binding.lifecycle,
        failure,
        why=why,
        reproduce=reproduce,
        looked_at=f"{played.outcome} from {path}",
        paper=paper,
    )
    headline = f"FAIL  {failure.headline.invariant}: {failure.headline.story}"
    unshown = [*paper.wrap(headline, "", MARGIN), *to_reproduce(reproduce, paper)]
    return Reported(text, unshown, page, headline)


def page_of_run(asked: Asked, run: Run) -> str:
    """Render the page of a run in which nothing was broken, as HTML."""
    return pages.of_run(
        asked.header(),
        run,
        waived=asked.binding.waived,
        limits=LIMITS[asked.lane],
        again=asked.search_command(),
    )


def write_report_page(file: Path, page: str) -> str:
    """Write the page that ``--report`` asks for, and return the line that says so, or why it is not there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, page.encode())
    except OSError as error:
        return f"--report {file}: the page could not be written ({error})"
    return f"--report: the page is in {file}"
