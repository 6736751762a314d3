"""The lines that open a pytest run: what is played, on what, how much of it, and how to play it again."""

from __future__ import annotations

from hypothesis import settings

from statemachine.commands.certificate.citation import cite
from statemachine.history.words import counted, duration
from statemachine.report.session import Session
from statemachine.report.text.lanes import LANES
from statemachine.search.lanes import EMBEDDED, KINDS


def header_of(session: Session) -> list[str]:
    """The header of a run, a sentence a line, of whatever length."""
    ours = session.binding.lifecycle
    planted = f", with the defect {session.defect} planted" if session.defect else ""
    first = f"statemachine: {session.binding_path}{planted}"
    if session.lane == "processes":
        return [first, f"lane processes: {LANES['processes']}; seed {session.seed}"]
    embedded = session.database if EMBEDDED.name in session.lanes else "PostgreSQL, made for this run"
    lines = [
        first,
        f"database: {embedded}",
        f"lifecycle: lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{ours.max_receives} receives, late completion {ours.late_completion}",
    ]
    if session.saved:
        planted = f", recorded with the defect {session.saved[0].defect}" if session.saved[0].defect else ""
        return [*lines, f"replay: {session.replay_path}{planted}"]
    if session.clock_skew_seconds:
        lines.append(f"clocks: each worker's up to {session.clock_skew_seconds} s ahead or behind")
    return [
        *lines,
        f"corpus: {session.corpus}",
        cite(session.binding_path, session.binding.defects),
        _size(session),
    ]


def _size(session: Session) -> str:
    name = settings.get_current_profile_name()
    profile = settings.get_profile(name)
    sizes = [KINDS[lane].size(profile) for lane in session.lanes]
    examples = " and ".join(
        f"{size.max_examples} examples of {size.stateful_step_count} steps"
        + (f" ({lane})" if len(sizes) > 1 else "")
        for lane, size in zip(session.lanes, sizes, strict=True)
    )
    if session.fuzz_seconds:
        processes = counted(session.processes, "process", "processes")
        searches = f"searches of {examples} in {processes} for {duration(session.fuzz_seconds)}"
        return f"profile {name}: {searches}; seeds from {session.seed} on"
    return f"profile {name}: {examples}; seed {session.seed} (again with --hypothesis-seed={session.seed})"
