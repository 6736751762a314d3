"""The failure report: the claim, its story, the steps, expected against actual, and how to see it again."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from statemachine.invariants import BY_NAME, Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report import WIDTH
from statemachine.report.steps import table
from statemachine.run import Failure


def failure_report(lifecycle: Lifecycle, failure: Failure, *, reproduce: str, looked_at: str) -> str:
    """The whole report of one failure.

    ``reproduce`` is the command that replays it, ``looked_at`` what was played until it was found.
    """
    seen = failure.headline
    return "\n".join(
        [
            f"FAIL  {seen.invariant}",
            *_wrapped(seen.story, "      "),
            "",
            *_wrapped(_protects(seen), "      "),
            "",
            *(f"  {line}"[:WIDTH] for line in table(lifecycle, failure.events, seen.step)),
            "",
            *_compared(seen),
            *_others(seen, failure.others),
            "",
            "  Reproduce",
            f"    {reproduce}",
            "",
            f"  {looked_at}",
        ]
    )


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _protects(seen: Violation) -> str:
    claim = BY_NAME[seen.invariant]
    return f"{claim.protects.splitlines()[0]} (gate report {claim.section})"


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
