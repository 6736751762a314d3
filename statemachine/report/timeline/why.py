"""The *why* of a failure as a grid: a line a step, a column a change, and in each cell one re-run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from statemachine.history.words import exact
from statemachine.report.text.phrases import edge_name
from statemachine.report.text.why import (
    act_text,
    apart_text,
    cut_short,
    fault_text,
    order_of,
    overlap_text,
    result_text,
    tenant_text,
)
from statemachine.report.timeline.markup import Markup, joined, table, tag
from statemachine.report.timeline.steps import TimelineStep
from statemachine.search.triage.explain import (
    Apart,
    OtherTenant,
    Rerun,
    Result,
    Until,
    Whole,
    Why,
    Without,
    WithoutFault,
)

_SIGNS: Mapping[Result, str] = {
    Result.FAILS: "✗ ",
    Result.OTHER: "≠ ",
    Result.PASSES: "✓ ",
    Result.NOT_POSSIBLE: "– ",
}


def why_grid(why: Why, steps: Sequence[TimelineStep]) -> Markup:
    """Return the grid; ``steps`` are those of the failure that was re-run."""
    if not why.repeats:
        return tag("p", "The same steps again: ", _result(why.reruns[0]))
    dropped = {rerun.change.step: rerun for rerun in why.reruns if isinstance(rerun.change, Without)}
    shifted = {rerun.change: rerun for rerun in why.reruns if isinstance(rerun.change, Until)}
    moves = {move.step: move for move in why.moves}
    headings = ["step", "without it", *(["ending 1 s sooner", "ending 1 s later"] if shifted else [])]
    changed = {*dropped, *(change.step for change in shifted)}
    rows = [
        tag(
            "tr",
            tag(
                "th",
                tag("a", str(one.step), href=f"#step-{one.step}"),
                f" {act_text(why.acts[one.step]) if one.step in why.acts else one.operation}",
                scope="row",
            ),
            tag("td", _result(dropped[one.step]) if one.step in dropped else "not tried"),
            *(_shifts(moves.get(one.step), shifted) if shifted else ()),
        )
        for one in steps
        if one.step in changed
    ]
    whole = [
        tag("p", f"Whole operations, as they {order_of(rerun.change)}: ", _result(rerun))
        for rerun in why.reruns
        if isinstance(rerun.change, Whole)
    ]
    apart = [
        _said(apart_text(rerun.change, why), rerun) for rerun in why.reruns if isinstance(rerun.change, Apart)
    ]
    undisturbed = [
        _said(fault_text(rerun.change), rerun)
        for rerun in why.reruns
        if isinstance(rerun.change, WithoutFault)
    ]
    elsewhere = [
        _said(tenant_text(rerun.change), rerun)
        for rerun in why.reruns
        if isinstance(rerun.change, OtherTenant) and rerun.result is not Result.FAILS
    ]
    cut = cut_short(why)
    return joined(
        table("why", headings, rows) if rows else None,
        *whole,
        tag("p", tag("b", overlap_text(why.overlap))) if why.overlap is not None else None,
        *undisturbed,
        *apart,
        *elsewhere,
        tag("p", f"{cut}.") if cut else None,
    )


def _said(change: str, rerun: Rerun) -> Markup:
    return tag("p", f"{change.capitalize()}: ", _result(rerun))


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
        cells.append(tag("td", _result(shifted[found]), tag("small", f"at {exact(found.at)}{edge}")))
    return cells


def _result(rerun: Rerun) -> Markup:
    because = tag("small", rerun.detail) if rerun.result is Result.NOT_POSSIBLE and rerun.detail else None
    sign = tag("span", _SIGNS[rerun.result], aria_hidden="true")
    return joined(tag("b", sign, result_text(rerun), class_=f"came {rerun.result.name.lower()}"), because)
