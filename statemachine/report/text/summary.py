"""The end of a run: what was reached, what was judged, how much and how fast, and the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from statemachine.history.words import counted, grouped
from statemachine.report.text.columns import TOGETHER
from statemachine.report.text.figures import doubt_lines
from statemachine.report.text.paper import MARGIN, WIDE, Paper
from statemachine.search.run import Run, Verdict
from statemachine.search.tally import Part

MEANING = {
    Verdict.PASS: "no invariant was broken",
    Verdict.FAIL: "an invariant was broken",
    Verdict.UNKNOWN: "nothing was broken, but the run cannot vouch for it",
}


_BESIDE = {Part.CORPUS: "playing the corpus again", Part.FAILURES: "minimising and explaining"}
"""The parts of a run in which none of its examples are played, in words."""


def run_summary(run: Run, waived: Mapping[str, str], limits: Iterable[str], paper: Paper = WIDE) -> list[str]:
    """Return the lines that close a run.

    ``waived`` has the reason for each claim that the binding waives, ``limits`` a line for each thing that
    this lane cannot show.
    """
    verdict = paper.wrap(verdict_line(run), "", MARGIN)
    return [*run_figures(run, waived, limits, paper), *verdict]


def run_figures(run: Run, waived: Mapping[str, str], limits: Iterable[str], paper: Paper = WIDE) -> list[str]:
    """Return all of :func:`run_summary` but the verdict."""
    return [
        "Situations met (operation: situation count)",
        *_situations(run, paper),
        "",
        "Edges and faults met",
        *wrapped(
            (f"{cell} {count_text(count)}" for cell, count in run.reach.edges_and_faults()), paper=paper
        ),
        *_reasons("unreachable", run.reach.unreachable, paper),
        "",
        "Invariants (times judged)",
        *wrapped(
            (f"{claim.name} {grouped(run.tally.judged[claim.name])}" for claim in run.lane.claims),
            paper=paper,
        ),
        *_reasons("waived", waived, paper),
        "",
        *paper.wrap(_speed(run), "", MARGIN),
        *(line for limit in limits for line in paper.wrap(limit, "", MARGIN)),
        *(line for doubt in doubt_lines(run.doubts()) for line in paper.wrap(doubt, "? ", MARGIN)),
    ]


def verdict_line(run: Run) -> str:
    """Return the verdict in one line, with the story of a failure or the rarest situation of a pass."""
    if run.failure is not None and run.verdict is Verdict.FAIL:
        return f"FAIL  {run.failure.headline.invariant}: {run.failure.headline.story}"
    line = f"{verdict_word(run)}  {_meaning(run)}"
    if run.verdict is not Verdict.PASS or not run.judges_reach:
        return line
    cell, count = run.reach.rarest()
    return f"{line}; every required situation met, the rarest {count} times ({cell})"


def _meaning(run: Run) -> str:
    met = [one for one in run.accepted.entries if run.times_met(one)]
    if run.verdict is not Verdict.PASS or not met:
        return MEANING[run.verdict]
    until = min(one.until for one in met)
    return f"nothing was broken but {counted(len(met), 'accepted finding')}, until {until} at the earliest"


def verdict_word(run: Run) -> str:
    """Return the verdict; a pass of a run too short to judge its reach says so."""
    if run.verdict is Verdict.PASS and not run.judges_reach:
        return "PASS (reach not judged)"
    return str(run.verdict)


def volume(run: Run) -> str:
    """Return ``2 055 examples, 136 750 steps``."""
    return f"{grouped(run.tally.examples)} examples, {grouped(run.tally.steps)} steps"


def count_text(count: int | None) -> str:
    """Return a count of :class:`~statemachine.history.reach.Reach` in words; None is unreachable."""
    return "unreachable" if count is None else grouped(count)


def with_reasons(word: str, reasons: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each name: ``waived: every_job_ends (there is no sweep)``."""
    for name, reason in reasons.items():
        yield f"{word}: {name} ({reason})"


def wrapped(items: Iterable[str], label: str = "  ", paper: Paper = WIDE) -> list[str]:
    """Return the items with a dot between them, in lines that begin with ``label`` or go on under it."""
    # A count stays with its name, and the dot at the end of a line.
    dot = f"{TOGETHER}{paper.spelt('·')} "
    text = dot.join(paper.spelt(item).replace(" ", TOGETHER) for item in items)
    lines = textwrap.wrap(
        text, paper.width, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False
    )
    return [line.replace(TOGETHER, " ") for line in lines]


def _reasons(word: str, reasons: Mapping[str, str], paper: Paper) -> Iterator[str]:
    for line in with_reasons(word, reasons):
        yield from paper.wrap(line, "  ", MARGIN)


def _speed(run: Run) -> str:
    tally = run.tally
    seed = "" if run.seed is None else f"; seed {run.seed}"
    beside = {part: round(tally.spent.get(part, 0)) for part in _BESIDE}
    spent = "".join(f", {seconds} s of them {_BESIDE[part]}" for part, seconds in beside.items() if seconds)
    return f"{volume(run)} in {tally.seconds:.0f} s{spent} ({grouped(tally.steps_a_second)} steps/s){seed}"


def doubts_report(run: Run, paper: Paper = WIDE) -> str:
    """Return what stands for a failure report where nothing was broken, but the verdict is UNKNOWN."""
    sentences = doubt_lines(run.doubts())
    doubts = [line for sentence in sentences for line in paper.wrap(sentence, MARGIN, "        ")]
    return "\n".join([f"UNKNOWN  {MEANING[Verdict.UNKNOWN]}:", *doubts])


def _situations(run: Run, paper: Paper) -> Iterator[str]:
    for operation, cells in run.reach.operations_by_situation():
        label = f"  {operation}: "
        yield from wrapped((f"{situation} {count_text(count)}" for situation, count in cells), label, paper)
