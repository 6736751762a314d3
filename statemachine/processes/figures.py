"""What a run of real processes came to, counted: strikes by moment, killed holders and who took over.

Counted from what was logged and from the rows at the end.  A killed holder is a worker whose log ends with a
lease in hand; its job must have been acquired exactly once with the next attempt number.
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
    """Sums over all fleets.  ``seconds`` is how long strikes and jobs took, ``drain_seconds`` the rest."""

    jobs: int
    ended: int
    acquisitions: int
    kills: int
    holders_killed: int
    taken_over_once: int
    seconds: float
    drain_seconds: float

    @property
    def lost(self) -> int:
        return self.jobs - self.ended


def figures(played: PlayedPlan) -> Figures:
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
    """(job, attempt) of each lease that a killed worker held when it died."""
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
    """For each lease that a killed worker held: how often the attempt after it was given out."""
    given = Counter(
        (event.get("job_id"), event.get("attempt"))
        for event in crew.events()
        if event["event"] == "prepare.accepted"
    )
    reached = {row.job: row.attempt for row in crew.fleet.observe(list(crew.jobs))}
    for job, attempt in killed_holders(crew):
        # Whoever took over may have been killed before it could say so; the row counts.
        yield given[job, attempt + 1] or int(reached.get(job, 0) > attempt)


def struck_table(played: PlayedPlan, fleets: Sequence[str]) -> list[str]:
    """How many strikes hit each moment, a column a fleet."""
    kinds = sorted({(deed, moment) for _, deed, moment in played.struck})
    width = max((len(f"{deed} {moment}") for deed, moment in kinds), default=0)
    lines = ["  ".join([" " * width, *(f"{fleet:>9}" for fleet in fleets)])]
    for deed, moment in kinds:
        counts = [f"{played.struck[fleet, deed, moment]:9}" for fleet in fleets]
        lines.append("  ".join([f"{f'{deed} {moment}'.strip():{width}}", *counts]))
    return lines
