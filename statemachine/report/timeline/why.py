"""The *why* of a failure as a grid: a line a step, a column for each way in which it was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from statemachine.history.words import exact
from statemachine.report import edge_name
from statemachine.report.text.why import in_all, order_of
from statemachine.report.timeline.markup import Markup, joined, table, tag
from statemachine.report.timeline.moments import Moment
from statemachine.search.triage.explain import Apart, Rerun, Result, Until, Whole, Why, Without

_SIGNS: Mapping[Result, str] = {
    Result.FAILS: "✗ ",
    Result.OTHER: "≠ ",
    Result.PASSES: "✓ ",
    Result.NOT_POSSIBLE: "– ",
}


def why_grid(why: Why, told: Sequence[Moment]) -> Markup:
    """Each cell is what one re-run did; ``told`` are the moments of the failure that was re-run."""
    if not why.repeats:
        return tag("p", "The same steps again: ", _came_of(why.reruns[0]))
    dropped = {rerun.change.step: rerun for rerun in why.reruns if isinstance(rerun.change, Without)}
    shifted = {rerun.change: rerun for rerun in why.reruns if isinstance(rerun.change, Until)}
    moves = {move.step: move for move in why.moves}
    headings = ["step", "without it", *(["ending 1 s sooner", "ending 1 s later"] if shifted else [])]
    steps = {*dropped, *(change.step for change in shifted)}
    rows = [
        tag(
            "tr",
            tag(
                "th",
                tag("a", str(one.step), href=f"#step-{one.step}"),
                f" {why.names.get(one.step, one.operation)}",
                scope="row",
            ),
            tag("td", _came_of(dropped[one.step]) if one.step in dropped else "not tried"),
            *(_shifts(moves.get(one.step), shifted) if shifted else ()),
        )
        for one in told
        if one.step in steps
    ]
    whole = [
        tag("p", f"Whole operations, as they {order_of(rerun.change)}: ", _came_of(rerun))
        for rerun in why.reruns
        if isinstance(rerun.change, Whole)
    ]
    where = "wherever nothing is in flight" if why.names else "between the steps"
    apart = [
        tag("p", f"With {rerun.change.seconds} s {where}: ", _came_of(rerun))
        for rerun in why.reruns
        if isinstance(rerun.change, Apart)
    ]
    cut = f"{len(why.reruns)} of {why.wanted} re-runs were made; the others were left out to save time."
    return joined(
        table("why", headings, rows) if rows else None,
        *whole,
        tag("p", tag("b", in_all(why.overlap))) if why.overlap is not None else None,
        *apart,
        tag("p", cut) if len(why.reruns) < why.wanted else None,
    )


def _shifts(move: Until | None, shifted: Mapping[Until, Rerun]) -> list[Markup]:
    if move is None:
        return [tag("td", class_="none")] * 2
    cells = []
    for shift in (-1, 1):
        found = next((it for it in shifted if it.step == move.step and it.at == move.at + shift), None)
        if found is None:
            cells.append(tag("td", "not tried"))
            continue
        edge = f", the {edge_name(found.edge)}" if found.edge else ""
        cells.append(tag("td", _came_of(shifted[found]), tag("small", f"at {exact(found.at)}{edge}")))
    return cells


def _came_of(rerun: Rerun) -> Markup:
    said = f"breaks {rerun.detail} instead" if rerun.result is Result.OTHER else str(rerun.result)
    because = tag("small", rerun.detail) if rerun.result is Result.NOT_POSSIBLE and rerun.detail else None
    sign = tag("span", _SIGNS[rerun.result], aria_hidden="true")
    return joined(tag("b", sign, said, class_=f"came {rerun.result.name.lower()}"), because)
