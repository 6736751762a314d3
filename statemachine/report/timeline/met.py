"""What was reached, as grids of situation by operation; a cell that was never met stands out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statemachine.lifecycle import Operation
from statemachine.reach import EDGE_CELLS, KILL_CELLS, Reach, fault_cells
from statemachine.report.summary import grouped
from statemachine.report.timeline.markup import Markup, table, tag

_Counted = Sequence[tuple[str, int]]


def reach_grids(reach: Reach, required: bool) -> Markup:
    """A grid for each family of operations that meet the same situations, then edges and faults.

    ``required`` says that each cell had to be met, so that a zero is something to worry about.
    """
    families: dict[tuple[str, ...], list[tuple[Operation, _Counted]]] = {}
    for operation, counted in reach.operations_by_situation():
        families.setdefault(tuple(situation for situation, _ in counted), []).append((operation, counted))
    others = (*EDGE_CELLS, *KILL_CELLS, *fault_cells(reach.lifecycle))
    return tag(
        "div",
        tag("div", *(_grid(situations, counts) for situations, counts in families.items()), class_="grids"),
        tag("h3", "Edges and faults"),
        _list((cell, reach.counts[cell]) for cell in others),
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


def _count(count: int) -> Markup:
    return tag("td", grouped(count), class_=_depth(count))


def _depth(count: int) -> str:
    """How dark a cell is: by the number of digits, 0 apart from all others."""
    return f"met{min(len(str(count)), 4) if count else 0}"


def _list(counted: Iterable[tuple[str, int]]) -> Markup:
    items = (tag("li", f"{cell} ", tag("b", grouped(count), class_=_depth(count))) for cell, count in counted)
    return tag("ul", *items, class_="cells")
