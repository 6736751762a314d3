"""Count what came of a run of real processes: strikes by moment, killed lease holders, takeovers.

The counts come from the logs and from the rows at the end.  A killed holder is a killed worker whose log
ends while it holds a lease; its job must have been acquired exactly once with the next attempt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statemachine.processes.campaign import PlayedPlan
from statemachine.processes.crew import Crew
from statemachine.processes.workers import read


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over all fleets."""

    jobs: int
    ended: int
    acquisitions: int
    kills: int
    holders_killed: int
    taken_over_once: int
    seconds: float
    """From the start to the last strike and the last planned job."""
    drain_seconds: float
    """From there until all was quiet."""

    @property
    def lost(self) -> int:
        """Jobs that did not end."""
        """Jobs that did not end."""
        return self.jobs - self.ended


def figures(played: PlayedPlan) -> Figures:
    """Count what came of a plan.  Reads the rows, so the database must still be there."""
    """Count what came of a plan.  Reads the rows, so the database must still be there."""
    crews = played.crews
    takeovers = [number for crew in crews for number in _takeovers(crew)]
    return Figures(
        jobs=sum(len(crew.jobs) for crew in crews),
        ended=sum(len(crew.jobs) - len(crew.unfinished()) for crew in crews),
        acquisitions=sum(row.attempt for crew in crews for row in crew.fleet.observe(list(crew.jobs))),
        kills=played.kills,
        holders_killed=len(takeovers),
        taken_over_once=takeovers.count(1),
        seconds=played.seconds,
        drain_seconds=played.drain_seconds,
    )


def killed_holders(crew: Crew) -> Iterator[tuple[str, int]]:
    """Yield job and attempt of each lease that a killed worker held when it died, by its own log."""
    killed = {event["killed"] for event in map(read, crew.lines) if event.get("event") == "worker.killed"}
    for worker in (*crew.gone, *crew.workers):
        held: Mapping[str, Any] | None = None
        for event in map(read, worker.lines):
            if event.get("event") == "prepare.accepted":
                held = event
            elif str(event.get("event")) in ("finish.accepted", "finish.refused"):
                held = None
        if held is not None and worker.name in killed:
            yield held["job_id"], held["attempt"]


def _takeovers(crew: Crew) -> Iterator[int]:
    """Yield, for each lease that a killed worker held, how often the next attempt was handed out."""
    given = Counter(
        (event.get("job_id"), event.get("attempt"))
        for event in crew.events()
        if event["event"] == "prepare.accepted"
    )
    reached = {row.job: row.attempt for row in crew.fleet.observe(list(crew.jobs))}
    for job, attempt in killed_holders(crew):
        # The worker that took over may have been killed before it logged that; then the row counts.
        yield given[job, attempt + 1] or int(reached.get(job, 0) > attempt)


def struck_table(played: PlayedPlan, fleets: Sequence[str]) -> list[str]:
    """Return a table of how many strikes hit each moment, with a column for each fleet."""
    kinds = sorted({(deed, moment) for _, deed, moment in played.struck})
    width = max((len(f"{deed} {moment}") for deed, moment in kinds), default=0)
    lines = ["  ".join([" " * width, *(f"{fleet:>9}" for fleet in fleets)])]
    for deed, moment in kinds:
        counts = [f"{played.struck[fleet, deed, moment]:9}" for fleet in fleets]
        lines.append("  ".join([f"{f'{deed} {moment}'.strip():{width}}", *counts]))
    return lines
