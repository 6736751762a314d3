"""The *why* of a failure: what its re-runs did, those that did the same in one line.

Nothing is concluded here: a line says what was changed and what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from statemachine.report import WIDTH, edge_name
from statemachine.report.text.columns import GAP, side_by_side
from statemachine.report.text.paper import WIDE, Paper
from statemachine.search.triage.explain import Apart, Overlap, Rerun, Result, Until, Whole, Why, Without

TITLE = "Why (each line is a re-run, nothing inferred)"
_REASONS = 3
"""More different reasons than these why the failing step was not possible are left out: they only repeat."""

_INDENT = "    "
_CHANGE = 28
_CAME_AT_LEAST = WIDTH - 46 - 6
"""What was changed is folded before what came of it has less room than this."""

_Row = tuple[str, str]


def why_lines(why: Why, paper: Paper = WIDE) -> list[str]:
    """The section with its title, each line at most as wide as ``paper``."""
    if not why.repeats:
        told = [("the same steps again", _came_of(why.reruns[0]))]
    else:
        told = [*_whole(why), *_dropped(why), *_shifted(why), *_apart(why)]
    rows = [(paper.spelt(change), paper.spelt(came)) for change, came in told]
    room = paper.width - len(_INDENT) - GAP
    widest = max(_CHANGE, room - _CAME_AT_LEAST)
    change = max([_CHANGE, *(min(len(change), widest) for change, _ in rows)])
    cut = f"{len(why.reruns)} of {why.wanted} re-runs were made; the others were left out to save time"
    return [
        f"  {TITLE}",
        *(f"{_INDENT}{line}" for row in rows for line in side_by_side(row, (change, room - change))),
        *(paper.wrap(cut, _INDENT) if len(why.reruns) < why.wanted else []),
        *(paper.wrap(in_all(why.overlap), _INDENT) if why.overlap is not None else []),
    ]


def in_all(overlap: Overlap) -> str:
    """What the re-runs of whole operations come to, and how far that goes."""
    if overlap is Overlap.ISOLATION:
        return f"{overlap} (no order of whole operations that was tried breaks this claim)"
    return f"{overlap} (whole operations, one after another, break this claim)"


def order_of(change: Whole) -> str:
    """Which moment of each decides on the order in which whole operations are played."""
    return "commit" if change.by_commit else "begin"


def _whole(why: Why) -> Iterator[_Row]:
    alike: dict[str, list[str]] = {}
    for rerun in why.reruns:
        if isinstance(rerun.change, Whole):
            alike.setdefault(_came_of(rerun), []).append(order_of(rerun.change))
    for came, orders in alike.items():
        yield f"whole operations, as they {' or '.join(orders)}", came


def _came_of(rerun: Rerun, with_reason: bool = True) -> str:
    if rerun.result is Result.OTHER:
        return f"breaks {rerun.detail} instead"
    if rerun.result is Result.NOT_POSSIBLE and with_reason:
        return f"{rerun.result}: {rerun.detail}"
    return str(rerun.result)


def _dropped(why: Why) -> Iterator[_Row]:
    dropped = {rerun.change.step: rerun for rerun in why.reruns if isinstance(rerun.change, Without)}
    reasons = {rerun.detail for rerun in dropped.values() if rerun.result is Result.NOT_POSSIBLE}
    alike: dict[str, list[int]] = {}
    for step in sorted(dropped):
        alike.setdefault(_came_of(dropped[step], len(reasons) <= _REASONS), []).append(step)
    for came, steps in alike.items():
        name = f" ({why.names[steps[0]]})" if steps[0] in why.names else ""
        alone = f"without step {steps[0]}{name}"
        yield alone if len(steps) == 1 else f"without one of steps {_ranges(steps)}", came


def _ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers as a person writes them: ``1-3, 5``."""
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda placed: placed[1] - placed[0])
    ]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _shifted(why: Why) -> Iterator[_Row]:
    came = {rerun.change: _came_of(rerun) for rerun in why.reruns if isinstance(rerun.change, Until)}
    tried = {change.step for change in came}
    came |= dict.fromkeys(why.moves, str(Result.FAILS))
    moves = [move.step for move in why.moves if move.step in tried]
    idle = [step for step in moves if {came[one] for one in came if one.step == step} == {Result.FAILS}]
    if len(idle) > 1:
        yield f"one of steps {_ranges(idle)} up to 1 s off", str(Result.FAILS)
    for step in moves:
        if len(idle) == 1 or step not in idle:
            yield from _one_move(step, {change: came[change] for change in came if change.step == step})


def _one_move(step: int, came: Mapping[Until, str]) -> Iterator[_Row]:
    alike: dict[str, list[Until]] = {}
    for change in sorted(came, key=_at):
        alike.setdefault(came[change], []).append(change)
    for what, changes in alike.items():
        met = [f" ({it.at:g} is the {edge_name(it.edge)})" for it in changes if it.edge]
        yield f"step {step} until {', '.join(f'{it.at:g}' for it in changes)}", "".join([what, *met])


def _at(change: Until) -> float:
    return change.at


def _apart(why: Why) -> Iterator[_Row]:
    for rerun in why.reruns:
        if isinstance(rerun.change, Apart):
            where = "wherever nothing is in flight" if why.names else "between the steps"
            yield f"with {rerun.change.seconds} s {where}", _came_of(rerun)
