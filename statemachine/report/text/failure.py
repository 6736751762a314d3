"""The failure report: claim, story, steps, expected against actual, why, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from statemachine.invariants import BY_NAME, Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.columns import fitting, side_by_side
from statemachine.report.text.paper import MARGIN, WIDE, Paper
from statemachine.report.text.steps import table
from statemachine.report.text.why import why_lines
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure


def failure_report(
    lifecycle: Lifecycle,
    failure: Failure,
    *,
    why: Why | None,
    reproduce: Sequence[str],
    looked_at: str,
    paper: Paper = WIDE,
) -> str:
    """The whole report of one failure.

    ``why`` is what its re-runs did (None when there was no time for them), ``reproduce`` the lines that
    say how to see it again, ``looked_at`` what was played until it was found.  Only ``reproduce`` may be
    wider than ``paper``: a command that is broken into lines cannot be pasted into every shell.
    """
    seen = failure.headline
    return "\n".join(
        [
            f"FAIL  {seen.invariant}",
            *paper.wrap(seen.story, MARGIN),
            "",
            *paper.wrap(f"{protects(seen)} (gate report {BY_NAME[seen.invariant].section})", MARGIN),
            "",
            *what_broke(lifecycle, failure, paper),
            "",
            *([*why_lines(why, paper), ""] if why is not None else []),
            *to_reproduce(reproduce, paper),
            "",
            *(line for text in looked_at.splitlines() for line in paper.wrap(text.strip(), "  ", MARGIN)),
        ]
    )


def to_reproduce(lines: Sequence[str], paper: Paper = WIDE) -> list[str]:
    """How to see a failure again, under its title."""
    return ["  Reproduce", *(f"    {paper.spelt(line)}" for line in lines)]


def what_broke(lifecycle: Lifecycle, failure: Failure, paper: Paper = WIDE) -> list[str]:
    """The table of steps, expected against actual, and what else the failing step broke."""
    seen = failure.headline
    return [
        *(f"  {line}" for line in table(lifecycle, failure.events, seen.step, paper)),
        "",
        *_compared(seen, paper),
        *_others(seen, failure.others, paper),
    ]


def protects(seen: Violation) -> str:
    """What the broken claim protects, in its first sentence or two."""
    return BY_NAME[seen.invariant].protects.splitlines()[0]


def _compared(seen: Violation, paper: Paper) -> Iterator[str]:
    title = (f"At step {seen.step} ({seen.at:g} s)", "expected", "actual")
    rows = [tuple(map(paper.spelt, (line.what, line.expected, line.actual))) for line in seen.compared]
    # The title begins two columns further left than what it stands over.
    widths = fitting([(title[0][2:], *title[1:]), *rows], (30, 22, 6), paper.width - 4)
    yield from (f"  {line}" for line in side_by_side(title, (widths[0] + 2, *widths[1:])))
    yield from (f"    {line}" for row in rows for line in side_by_side(row, widths))


def _others(headline: Violation, others: Sequence[Violation], paper: Paper) -> list[str]:
    names = dict.fromkeys(seen.invariant for seen in others if seen.invariant != headline.invariant)
    return ["", *paper.wrap(f"Broken by the same step: {', '.join(names)}", "  ")] if names else []
