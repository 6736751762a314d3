"""The failure report: claim, story, steps, expected against actual, why, and how to see it again."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from statemachine.explain import Why
from statemachine.invariants import BY_NAME, Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report import WIDTH
from statemachine.report.steps import table
from statemachine.report.why import why_lines
from statemachine.run import Failure


def failure_report(
    lifecycle: Lifecycle, failure: Failure, *, why: Why | None, reproduce: Sequence[str], looked_at: str
) -> str:
    """The whole report of one failure.

    ``why`` is what its re-runs did (None when there was no time for them), ``reproduce`` the lines that
    say how to see it again, ``looked_at`` what was played until it was found.
    """
    seen = failure.headline
    return "\n".join(
        [
            f"FAIL  {seen.invariant}",
            *_wrapped(seen.story, "      "),
            "",
            *_wrapped(f"{protects(seen)} (gate report {BY_NAME[seen.invariant].section})", "      "),
            "",
            *what_broke(lifecycle, failure),
            "",
            *([*why_lines(why), ""] if why is not None else []),
            "  Reproduce",
            *(f"    {line}" for line in reproduce),
            "",
            f"  {looked_at}",
        ]
    )


def what_broke(lifecycle: Lifecycle, failure: Failure) -> list[str]:
    """The table of steps, expected against actual, and what else the failing step broke."""
    seen = failure.headline
    return [
        *(f"  {line}"[:WIDTH] for line in table(lifecycle, failure.events, seen.step)),
        "",
        *_compared(seen),
        *_others(seen, failure.others),
    ]


def protects(seen: Violation) -> str:
    """What the broken claim protects, in its first sentence or two."""
    return BY_NAME[seen.invariant].protects.splitlines()[0]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _compared(seen: Violation) -> list[str]:
    cells = [(line.what, line.expected, line.actual) for line in seen.compared]
    first = max([32, *(len(what) + 2 for what, _, _ in cells)])
    second = max([24, *(len(expected) + 2 for _, expected, _ in cells)])
    at = f"At step {seen.step} ({seen.at:g} s)"
    return [
        f"  {at.ljust(first)}  {'expected'.ljust(second)}actual",
        *(
            f"    {what.ljust(first)}{expected.ljust(second)}{actual}"[:WIDTH]
            for what, expected, actual in cells
        ),
    ]


def _others(headline: Violation, others: Sequence[Violation]) -> list[str]:
    names = dict.fromkeys(seen.invariant for seen in others if seen.invariant != headline.invariant)
    return ["", *_wrapped(f"Broken by the same step: {', '.join(names)}", "  ")] if names else []
