"""The *why* of a failure: the results of its re-runs, equal ones in one line.

Nothing is concluded here: a line says what was changed and what happened then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from statemachine.history.in_flight import GOES_ON, KILLED
from statemachine.history.words import exact
from statemachine.report.text.columns import GAP, side_by_side
from statemachine.report.text.paper import WIDE, WIDTH, Paper
from statemachine.report.text.phrases import edge_name
from statemachine.search.triage.explain import (
    Act,
    Apart,
    OtherTenant,
    Overlap,
    Rerun,
    Result,
    Until,
    Whole,
    Why,
    Without,
    WithoutFault,
)

TITLE = "Why (each line is a re-run, nothing inferred)"
_REASONS = 3
"""If dropped steps made the failing one impossible for more reasons than these, none is printed.

Then each step has its own, and the lines only repeat one another.
"""

_INDENT = "    "
_CHANGE = 28
_RESULT_AT_LEAST = WIDTH - 46 - 6
"""The column of changes is folded before the column of results becomes narrower than this."""

_OVERLAPS: Mapping[Overlap, str] = {
    Overlap.ISOLATION: "isolation: needs the overlap "
    "(no order of whole operations that was tried breaks this claim)",
    Overlap.PROTOCOL: "protocol: happens serially too "
    "(whole operations, one after another, break this claim)",
}
_ACTS: Mapping[str, str] = {GOES_ON: "{by}: {statement}", KILLED: "{by} killed"}
_BEGINS = "{by}: {does} begins"

_Row = tuple[str, str]
"""What was changed, and the result."""


def why_lines(why: Why, paper: Paper = WIDE) -> list[str]:
    """Return the section with its title, in lines that fit on ``paper``."""
    if not why.repeats:
        found = [("the same steps again", _result(why.reruns[0]))]
    else:
        found = [*_whole(why), *_undisturbed(why), *_dropped(why), *_shifted(why), *_apart(why)]
        found += _other_tenant(why)
    rows = [(paper.cell(change), paper.cell(result)) for change, result in found]
    room = paper.width - len(_INDENT) - GAP
    widest = max(_CHANGE, room - _RESULT_AT_LEAST)
    change = max([_CHANGE, *(min(len(change), widest) for change, _ in rows)])
    return [
        f"  {TITLE}",
        *(f"{_INDENT}{line}" for row in rows for line in side_by_side(row, (change, room - change))),
        *paper.wrap(cut_short(why), _INDENT),
        *(paper.wrap(overlap_text(why.overlap), _INDENT) if why.overlap is not None else []),
    ]


# -- the sentences that the timeline page prints as well ------------------------------------------------


def cut_short(why: Why) -> str:
    """Return how many re-runs there was no time for; empty if all were made."""
    if len(why.reruns) >= why.wanted:
        return ""
    return f"{len(why.reruns)} of {why.wanted} re-runs were made; the others were left out to save time"


def overlap_text(overlap: Overlap) -> str:
    """Return whether the failure needs the overlap of operations, and what that rests on."""
    return _OVERLAPS[overlap]


def act_text(act: Act) -> str:
    """Return ``B: prepare begins``, ``B: COMMIT`` or ``B killed``."""
    return _ACTS.get(act.does, _BEGINS).format_map(act._asdict())


def order_of(change: Whole) -> str:
    """Return the moment by which whole operations are ordered: they ``begin``, or they ``commit``."""
    return "commit" if change.by_commit else "begin"


def apart_text(change: Apart, why: Why) -> str:
    """Return ``with 1 s between the steps``."""
    # No time can pass while an operation is in flight.
    where = "wherever nothing is in flight" if why.acts else "between the steps"
    return f"with {change.seconds} s {where}"


def fault_text(change: WithoutFault) -> str:
    """Return ``step 5 without answer lost``: the step is played, its fault is not."""
    return f"step {change.step} without {change.fault.replace('_', ' ')}"


def tenant_text(change: OtherTenant) -> str:
    """Return ``with tenant t2 in place of t1``."""
    return f"with tenant {change.other} in place of {change.tenant}"


def result_text(rerun: Rerun) -> str:
    """Return the result of a re-run without its reason: ``passes``, ``breaks another_claim instead``."""
    return f"breaks {rerun.detail} instead" if rerun.result is Result.OTHER else str(rerun.result)


# -- the lines ------------------------------------------------------------------------------------------


def _result(rerun: Rerun, with_reason: bool = True) -> str:
    if rerun.result is Result.NOT_POSSIBLE and with_reason:
        return f"{rerun.result}: {rerun.detail}"
    return result_text(rerun)


def _whole(why: Why) -> Iterator[_Row]:
    orders: dict[str, list[str]] = {}
    for rerun in why.reruns:
        if isinstance(rerun.change, Whole):
            orders.setdefault(_result(rerun), []).append(order_of(rerun.change))
    for result, names in orders.items():
        yield f"whole operations, as they {' or '.join(names)}", result


def _undisturbed(why: Why) -> Iterator[_Row]:
    for rerun in why.reruns:
        if isinstance(rerun.change, WithoutFault):
            yield fault_text(rerun.change), _result(rerun)


def _other_tenant(why: Why) -> Iterator[_Row]:
    # Nearly always the tenant makes no difference, and a line would only say so.
    for rerun in why.reruns:
        if isinstance(rerun.change, OtherTenant) and rerun.result is not Result.FAILS:
            yield tenant_text(rerun.change), _result(rerun)


def _dropped(why: Why) -> Iterator[_Row]:
    dropped = {rerun.change.step: rerun for rerun in why.reruns if isinstance(rerun.change, Without)}
    reasons = {rerun.detail for rerun in dropped.values() if rerun.result is Result.NOT_POSSIBLE}
    alike: dict[str, list[int]] = {}
    for step in sorted(dropped):
        alike.setdefault(_result(dropped[step], len(reasons) <= _REASONS), []).append(step)
    for result, steps in alike.items():
        name = f" ({act_text(why.acts[steps[0]])})" if steps[0] in why.acts else ""
        alone = f"without step {steps[0]}{name}"
        yield alone if len(steps) == 1 else f"without one of steps {_ranges(steps)}", result


def _ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers as a person writes them: ``1-3, 5``."""
    # Numbers that follow one another differ from their places by the same amount.
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda placed: placed[1] - placed[0])
    ]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _shifted(why: Why) -> Iterator[_Row]:
    results = {rerun.change: _result(rerun) for rerun in why.reruns if isinstance(rerun.change, Until)}
    tried = {change.step for change in results}
    results |= dict.fromkeys(why.moves, str(Result.FAILS))
    moves = [move.step for move in why.moves if move.step in tried]
    # Moves of time whose exact length changes nothing are one line together.
    idle = [step for step in moves if {results[one] for one in results if one.step == step} == {Result.FAILS}]
    if len(idle) > 1:
        yield f"one of steps {_ranges(idle)} up to 1 s off", str(Result.FAILS)
    for step in moves:
        if len(idle) == 1 or step not in idle:
            yield from _one_move(step, {change: results[change] for change in results if change.step == step})


def _one_move(step: int, results: Mapping[Until, str]) -> Iterator[_Row]:
    alike: dict[str, list[Until]] = {}
    for change in sorted(results, key=_at):
        alike.setdefault(results[change], []).append(change)
    for result, changes in alike.items():
        edges = [f" ({exact(it.at)} is the {edge_name(it.edge)})" for it in changes if it.edge]
        yield f"step {step} until {', '.join(exact(it.at) for it in changes)}", "".join([result, *edges])


def _at(change: Until) -> float:
    return change.at


def _apart(why: Why) -> Iterator[_Row]:
    for rerun in why.reruns:
        if isinstance(rerun.change, Apart):
            yield apart_text(rerun.change, why), _result(rerun)
