"""The lines that open a pytest run: what is played, on what, how much of it, and how to play it again."""

from __future__ import annotations

from hypothesis import settings

from statemachine.commands.certificate.citation import cite
from statemachine.history.words import counted, duration
from statemachine.report.asked import Asked
from statemachine.report.text.lanes import LANES
from statemachine.search.lanes import EMBEDDED, KINDS


def header_of(asked: Asked, database: str) -> list[str]:
    """Return the header of a run, a sentence a line; ``database`` is that of the embedded lane."""
    ours = asked.binding.lifecycle
    planted = f", with the defect {asked.defect} planted" if asked.defect else ""
    first = f"statemachine: {asked.binding_path}{planted}"
    if asked.lane == "processes":
        return [first, f"lane processes: {LANES['processes']}; seed {asked.seed}"]
    embedded = database if EMBEDDED.name in asked.lanes else "PostgreSQL, made for this run"
    lines = [
        first,
        f"database: {embedded}",
        f"lifecycle: lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{ours.max_receives} receives, late completion {ours.late_completion}",
    ]
    if asked.saved:
        planted = f", recorded with the defect {asked.saved[0].defect}" if asked.saved[0].defect else ""
        return [*lines, f"replay: {asked.replay_path}{planted}"]
    if asked.clock_skew_seconds:
        lines.append(f"clocks: each worker's up to {asked.clock_skew_seconds} s ahead or behind")
    return [
        *lines,
        f"corpus: {asked.corpus}",
        cite(asked.binding_path, asked.binding.defects),
        _size(asked),
    ]


def _size(asked: Asked) -> str:
    name = settings.get_current_profile_name()
    profile = settings.get_profile(name)
    sizes = [KINDS[lane].size(profile) for lane in asked.lanes]
    examples = " and ".join(
        f"{size.max_examples} examples of {size.stateful_step_count} steps"
        + (f" ({lane})" if len(sizes) > 1 else "")
        for lane, size in zip(asked.lanes, sizes, strict=True)
    )
    if asked.fuzz_seconds:
        processes = counted(asked.processes, "process", "processes")
        searches = f"searches of {examples} in {processes} for {duration(asked.fuzz_seconds)}"
        return f"profile {name}: {searches}; seeds from {asked.seed} on"
    return f"profile {name}: {examples}; seed {asked.seed} (again with --hypothesis-seed={asked.seed})"
