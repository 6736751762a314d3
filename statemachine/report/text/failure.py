"""The failure report: claim, story, steps, expected against actual, why, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.words import exact
from statemachine.invariants import BY_NAME, Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.columns import fitting, side_by_side
from statemachine.report.text.paper import MARGIN, WIDE, Paper
from statemachine.report.text.steps import table
from statemachine.report.text.why import why_lines
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure

_MOST_DISTURBANCES = 8
"""A history that is not minimal may have dozens."""


def failure_report(
    lifecycle: Lifecycle,
    failure: Failure,
    *,
    why: Why | None,
    reproduce: Sequence[str],
    looked_at: str,
    paper: Paper = WIDE,
) -> str:
    """Return the whole report of one failure.

    ``why`` holds its re-runs, None if there was no time for them; ``reproduce`` are the lines under that
    title, and ``looked_at`` says how much was played until the failure was found.  Only ``reproduce`` may be
    wider than ``paper``: a command that is broken into lines cannot be pasted into every shell.
    """
    seen = failure.headline
    return "\n".join(
        [
            f"FAIL  {seen.invariant}",
            *paper.wrap(seen.story, MARGIN),
            "",
            *paper.wrap(protects(seen), MARGIN),
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
    """Return the section that says how to see a failure again."""
    return ["  Reproduce", *(f"    {paper.spelt(line)}" for line in lines)]


def what_broke(lifecycle: Lifecycle, failure: Failure, paper: Paper = WIDE) -> list[str]:
    """Return the table of steps, expected against actual, and the other claims that the step broke."""
    seen = failure.headline
    return [
        *(f"  {line}" for line in table(lifecycle, failure.events, seen.step, paper)),
        *_disturbed(failure, paper),
        "",
        *_compared(seen, paper),
        *_others(failure, paper),
    ]


def _disturbed(failure: Failure, paper: Paper) -> Iterator[str]:
    """Yield the faults that were played and the exceptions that reached a caller, with their texts."""
    said = list(islice(_disturbances(failure.events), _MOST_DISTURBANCES + 1))
    if said:
        yield from ("", "  Faults that were played, and exceptions that reached a caller")
    for line in said[:_MOST_DISTURBANCES]:
        yield from paper.wrap(line, "    ", "      ")
    if len(said) > _MOST_DISTURBANCES:
        yield "    more are in history.ndjson"


def _disturbances(events: Sequence[Event]) -> Iterator[str]:
    step, calls = 0, dict[int, str]()
    for event in events:
        match event:
            case history.StepBegan():
                step = event.step
            case history.Invoked(operation=operation, job=job, tenant=tenant, actor=actor):
                about = f" {job} of {tenant}" if job else ""
                calls[event.call] = f"{operation}{about} by {actor}"
            case history.FaultStruck(fault=fault):
                yield f"step {step}: {fault.replace('_', ' ')} in {calls[event.call]}"
            case history.Raised(error=error):
                yield f"step {step}: {calls[event.call]} raised {' '.join(error.split())}"


def protects(seen: Violation) -> str:
    """Return what the broken claim protects: the first line of its description."""
    return BY_NAME[seen.invariant].protects.splitlines()[0]


def other_claims(failure: Failure) -> list[Violation]:
    """Return the violations of other claims by the same step."""
    return [seen for seen in failure.others if seen.invariant != failure.headline.invariant]


def _compared(seen: Violation, paper: Paper) -> Iterator[str]:
    title = (f"At step {seen.step} ({exact(seen.at)} s)", "expected", "actual")
    rows = [tuple(map(paper.spelt, (line.what, line.expected, line.actual))) for line in seen.compared]
    # The title begins two columns further left than what it stands over.
    widths = fitting([(title[0][2:], *title[1:]), *rows], (30, 22, 6), paper.width - 4)
    yield from (f"  {line}" for line in side_by_side(title, (widths[0] + 2, *widths[1:])))
    yield from (f"    {line}" for row in rows for line in side_by_side(row, widths))


def _others(failure: Failure, paper: Paper) -> list[str]:
    names = dict.fromkeys(seen.invariant for seen in other_claims(failure))
    return ["", *paper.wrap(f"Broken by the same step: {', '.join(names)}", "  ")] if names else []
