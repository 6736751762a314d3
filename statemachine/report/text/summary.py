"""The end of a run: what was reached, what was judged, how much and how fast, and the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from statemachine.history.words import grouped
from statemachine.report.text.figures import doubt_lines
from statemachine.report.text.paper import MARGIN, WIDE, Paper
from statemachine.search.run import Run, Verdict

MEANING = {
    Verdict.PASS: "no invariant was broken",
    Verdict.FAIL: "an invariant was broken",
    Verdict.UNKNOWN: "nothing was broken, but the run cannot vouch for it",
}


def run_summary(run: Run, waived: Mapping[str, str], limits: Iterable[str], paper: Paper = WIDE) -> list[str]:
    """The lines that close a run; ``limits`` says what this lane cannot show, a line each."""
    verdict = paper.wrap(verdict_line(run), "", MARGIN)
    return [*run_figures(run, waived, limits, paper), *verdict]


def run_figures(run: Run, waived: Mapping[str, str], limits: Iterable[str], paper: Paper = WIDE) -> list[str]:
    """All of :func:`run_summary` but the verdict."""
    return [
        "Situations met (operation: situation count)",
        *_situations(run, paper),
        "",
        "Edges and faults met",
        *wrapped((f"{cell} {shown(count)}" for cell, count in run.reach.edges_and_faults()), paper=paper),
        *_reasons("unreachable", run.reach.unreachable, paper),
        "",
        "Invariants (times judged)",
        *wrapped(
            (f"{claim.name} {grouped(run.tally.judged[claim.name])}" for claim in run.lane.claims),
            paper=paper,
        ),
        *_reasons("waived", waived, paper),
        "",
        *paper.wrap(_volume(run), "", MARGIN),
        *(line for limit in limits for line in paper.wrap(limit, "", MARGIN)),
        *(line for doubt in doubt_lines(run.doubts()) for line in paper.wrap(doubt, "? ", MARGIN)),
    ]


def _reasons(word: str, reasons: Mapping[str, str], paper: Paper) -> Iterator[str]:
    for name, reason in reasons.items():
        yield from paper.wrap(f"{word}: {name} ({reason})", "  ", MARGIN)


def _volume(run: Run) -> str:
    tally = run.tally
    speed = tally.steps / tally.seconds if tally.seconds else 0
    seed = "" if run.seed is None else f"; seed {run.seed}"
    played = f"{grouped(tally.examples)} examples, {grouped(tally.steps)} steps"
    return f"{played} in {tally.seconds:.0f} s ({grouped(speed)} steps/s){seed}"


def verdict_line(run: Run) -> str:
    """The verdict in one line; a run too short to judge its reach says so."""
    if run.verdict is Verdict.PASS:
        if not run.judges_reach:
            return f"PASS (reach not judged)  {MEANING[Verdict.PASS]}"
        cell, count = run.reach.rarest()
        return (
            f"PASS  {MEANING[Verdict.PASS]}; every required situation met, the rarest {count} times ({cell})"
        )
    if run.failure is not None:
        return f"FAIL  {run.failure.headline.invariant}: {run.failure.headline.story}"
    return f"{run.verdict}  {MEANING[run.verdict]}"


def _situations(run: Run, paper: Paper) -> Iterator[str]:
    for operation, cells in run.reach.operations_by_situation():
        label = f"  {operation}: "
        yield from wrapped((f"{situation} {shown(count)}" for situation, count in cells), label, paper)


def wrapped(items: Iterable[str], label: str = "  ", paper: Paper = WIDE) -> list[str]:
    # No-break spaces keep a count with its name, and the separator at the end of a line.
    text = f"\u00a0{paper.spelt('·')} ".join(paper.spelt(item).replace(" ", "\u00a0") for item in items)
    lines = textwrap.wrap(
        text, paper.width, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False
    )
    return [line.replace("\u00a0", " ") for line in lines]


def shown(count: int | None) -> str:
    """A count of :class:`~statemachine.history.reach.Reach` in words."""
    return "unreachable" if count is None else grouped(count)
