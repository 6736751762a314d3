"""Two jobs at once: whether observe, others and reset speak of the jobs that they are asked about, only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from statemachine.world.lane import Lane
from statemachine.world.operations import perform


def look(binding: Any, lane: Lane) -> Iterator[tuple[str, str | None]]:
    """Each call with what is wrong about it, None for nothing.  ``lane`` must be open."""
    example = lane.begin()
    others = getattr(binding, "others", None)
    empty = str(others(["j1", "j2"])) if others else ""
    for job, tenant in zip(("j1", "j2"), binding.tenants, strict=False):
        perform(example, "create", {"job": job, "tenant": tenant})

    seen = [row.job for row in lane.binding.observe(["j2"])]
    yield (
        "observe(['j2'])",
        None if seen == ["j2"] else f"observe(['j2']) gave {seen}: give the jobs that were asked for",
    )
    tenants = {row.job: row.tenant for row in lane.binding.observe(["j1", "j2"])}
    due = dict(zip(("j1", "j2"), binding.tenants, strict=False))
    yield (
        "observe(['j1', 'j2'])",
        None
        if tenants == due
        else f"observe(['j1', 'j2']) shows tenants {tenants} and create() was told {due}: "
        "show whose job it is",
    )
    if others:
        yield "others(['j1', 'j2'])", _of_others(others, empty)
    lane.binding.reset(["j1"])
    left = [row.job for row in lane.binding.observe(["j1", "j2"])]
    yield (
        "reset(['j1'])",
        None
        if left == ["j2"]
        else f"reset(['j1']) left {left or 'no job'} of j1 and j2: "
        "delete the jobs that it names, and no other",
    )


def _of_others(others: Any, empty: str) -> str | None:
    if str(others(["j1", "j2"])) != empty:
        return (
            f"others(['j1', 'j2']) is {others(['j1', 'j2'])} with these jobs in the database and was {empty} "
            "without: leave the rows of the jobs that it is given out"
        )
    if str(others(["j1"])) == empty:
        return (
            f"others(['j1']) is {empty} whether j2 is there or not: count the rows of all other jobs, "
            "with sums over what an operation might change"
        )
    return None
