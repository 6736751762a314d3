"""The report of a run of real processes, and the files that are kept of one that failed."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING
from statemachine.invariants import IN_LOGS, Verdict
from statemachine.logs import JudgedLog
from statemachine.logs.report import evidence
from statemachine.processes import plan as plans
from statemachine.processes.campaign import PlayedPlan
from statemachine.processes.crew import JudgedFleet
from statemachine.processes.figures import figures, struck_table
from statemachine.processes.plan import KillPlan
from statemachine.report.text.paper import WIDE, Paper
from statemachine.report.text.summary import MEANING, wrapped


def verdict_on(played: PlayedPlan, fleets: Sequence[JudgedFleet]) -> Verdict:
    """Return the worst verdict; jobs that did not end are a FAIL, whatever was logged."""
    answers = {fleet.judged.verdict for fleet in fleets}
    if played.stuck or Verdict.FAIL in answers:
        return Verdict.FAIL
    return Verdict.UNKNOWN if Verdict.UNKNOWN in answers or played.missed else Verdict.PASS


def report(played: PlayedPlan, fleets: Sequence[JudgedFleet], paper: Paper = WIDE) -> Iterator[str]:
    """Yield what was struck, what came of the jobs, what was judged, and the failures with their lines."""
    found = figures(played)
    yield "Strikes (each met where it says: the worker was frozen and looked at first)"
    yield from (f"  {line}" for line in struck_table(played, [fleet.name for fleet in fleets]))
    yield ""
    yield f"Jobs       {found.jobs} enqueued, {found.ended} ended, {found.lost} lost"
    again = sum(fleet.judged.ended_again for fleet in fleets)
    yield f"Completed  twice: {again}; acquisitions: {found.acquisitions}"
    yield (
        f"Killed     {found.kills} workers, {found.holders_killed} of them held a lease; "
        f"taken over exactly once: {found.taken_over_once}"
    )
    yield f"Time       {found.seconds:.0f} s, and {found.drain_seconds:.0f} s until all was quiet"
    for crew in played.crews:
        yield from (f"           {text}, by itself" for text in crew.unasked_exits)
    yield ""
    yield from _judged([fleet.judged for fleet in fleets], paper)
    for fleet in fleets:
        for cited in fleet.judged.violations:
            yield ""
            yield from evidence(cited, paper=paper)
        for doubt in fleet.judged.doubts():
            yield f"UNKNOWN  {fleet.name}: {doubt}"
    for (fleet_name, deed, moment), times in played.missed.items():
        yield (
            f"UNKNOWN  {fleet_name}: {deed} {moment}: {times} more planned, and no worker was met there; "
            "play the plan again"
        )
    for name, jobs in played.stuck.items():
        yield f"FAIL  {name}: these jobs never ended: {', '.join(jobs)}"


def _judged(each: Sequence[JudgedLog], paper: Paper) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for judged in each:
        counts.update(judged.judged)
    yield "Invariants (times judged)"
    counted = [f"{claim.name} {counts[claim.name]}" for claim in IN_LOGS if counts[claim.name]]
    yield from wrapped(counted, paper=paper)
    left_out = sorted({name for judged in each for name in judged.not_judged if not counts[name]})
    if left_out:
        yield "Not judged here (docs/processes.md says why)"
        yield from wrapped(left_out, paper=paper)


def save(folder: Path, plan: KillPlan, fleets: Sequence[JudgedFleet]) -> None:
    """Save plan.json and every log, under its own name.  Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(plans.dumps(plan), encoding="utf-8", newline="\n")
    for fleet in fleets:
        for file in fleet.files:
            shutil.copyfile(file, folder / file.name)


def afterwards(
    folder: Path, fleets: Sequence[JudgedFleet], binding: str, defect: str | None
) -> Iterator[str]:
    """Yield the commands that play the plan again and judge the logs again."""
    options = f" --binding {binding}" * (binding != DEFAULT_BINDING)
    yield f"Saved in {folder}.  Again (same strikes; real clocks decide which jobs they meet)"
    planted = f" --defect {defect}" if defect else ""
    yield f"  python -m statemachine processes{options}{planted} --plan {folder / 'plan.json'} --times 5"
    for fleet in fleets:
        judged_by = f" --binding {fleet.binding}" * (fleet.binding != DEFAULT_BINDING)
        yield f"  python -m statemachine check-log{judged_by} {folder}/{fleet.name}-*.log"


def last_line(verdict: Verdict) -> str:
    """Return the last line."""
    return f"{verdict}  {MEANING[verdict]}"
