"""What was reached, as grids of situation by operation; a cell that was never met stands out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from statemachine.history.reach import Reach
from statemachine.lifecycle import Operation
from statemachine.report.text.summary import shown
from statemachine.report.timeline.markup import Markup, table, tag

_Counted = Sequence[tuple[str, int | None]]


def reach_grids(reach: Reach, required: bool) -> Markup:
    """A grid for each family of operations that meet the same situations, then edges and faults.

    ``required`` says that each cell had to be met, so that a zero is something to worry about.
    What is unreachable by the binding's word is shown as that, and its reason at the end.
    """
    families: dict[tuple[str, ...], list[tuple[Operation, _Counted]]] = {}
    for operation, counted in reach.operations_by_situation():
        families.setdefault(tuple(situation for situation, _ in counted), []).append((operation, counted))
    return tag(
        "div",
        tag("div", *(_grid(situations, counts) for situations, counts in families.items()), class_="grids"),
        tag("h3", "Edges and faults"),
        _list(reach.edges_and_faults()),
        _unreachable(reach.unreachable),
        class_="required" if required else None,
    )


def _grid(situations: Sequence[str], counts: Sequence[tuple[Operation, _Counted]]) -> Markup:
    rows = (
        tag(
            "tr",
            tag("th", situation, scope="row"),
            *(_count(counted[place][1]) for _, counted in counts),
        )
        for place, situation in enumerate(situations)
    )
    return table("reach", ["situation", *(str(operation) for operation, _ in counts)], rows)


def _count(count: int | None) -> Markup:
    return tag("td", shown(count), class_=_depth(count))


def _depth(count: int | None) -> str:
    """How dark a cell is: by the number of digits, 0 apart from all others."""
    if count is None:
        return "unreachable"
    return f"met{min(len(str(count)), 4) if count else 0}"


def _list(counted: Iterable[tuple[str, int | None]]) -> Markup:
    items = (tag("li", f"{cell} ", tag("b", shown(count), class_=_depth(count))) for cell, count in counted)
    return tag("ul", *items, class_="cells")


def _unreachable(reasons: Mapping[str, str]) -> Markup | None:
    items = (tag("li", f"unreachable: {cell} ({reason})") for cell, reason in reasons.items())
    return tag("ul", *items) if reasons else None
