"""The fault plan of a run, as data: which fleet is struck, how, at which moment, and which jobs it has.

A plan follows from its seed; it can be saved as plan.json and played again.  It then strikes the same
fleets at the same moments; at which microsecond, and on which job, is up to the operating system.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from statemachine.binding.fleet import End, Work
from statemachine.history.foreign import (
    Check,
    MustBe,
    Unfit,
    as_number,
    as_text,
    as_whole,
    brief,
    made,
    parse,
    read_text,
)
from statemachine.processes.moments import MOMENTS, RUNNING


class PlanError(ValueError):
    """A saved plan cannot be played; the message says why."""


class Deed(StrEnum):
    """What is done to a worker, or to its queue."""

    KILL = "SIGKILL"
    PAUSE = "SIGSTOP past the lease, SIGCONT"
    TERM = "SIGTERM"
    SQS_DOWN = "SQS restarted"


WEIGHTS: Mapping[Deed, int] = {Deed.KILL: 12, Deed.PAUSE: 2, Deed.TERM: 1, Deed.SQS_DOWN: 1}
"""How often each is drawn: three in four are kills, of which a run has a given number."""


@dataclass(frozen=True, slots=True)
class PlannedStrike:
    """One strike on one fleet.  The fields are the keys of plan.json."""

    fleet: str
    deed: Deed
    moment: str = RUNNING.name
    gap: float = 0.5
    """Seconds after the strike before it on the same fleet, at least."""
    lasts: float = 0
    """Seconds that a pause, or a restart of SQS, lasts."""


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job that a fleet is given."""

    name: str
    tenant: str
    work: Work
    twice: bool = False
    """Its message is sent twice, as by a publisher that got no answer."""


@dataclass(frozen=True, slots=True)
class KillPlan:
    """What a run does.  The fields are the keys of plan.json."""

    seed: int
    jobs: int
    """Jobs of each fleet, at least: there are more as long as strikes are left."""
    work_seconds: float
    """What a job costs on average."""
    strikes: tuple[PlannedStrike, ...]

    def jobs_of(self, fleet: str, tenants: Sequence[str], time: int = 1) -> Iterator[PlannedJob]:
        """Yield a fleet's jobs without end: the same for the same seed, but for ``time`` in their names."""
        for number in count(1):
            # A generator for each job: how many jobs the other fleets get must not change this one.
            draw = Random(f"{self.seed}/{fleet}/{number}")
            yield PlannedJob(
                f"{fleet}-{self.seed}.{time}-{number}",
                draw.choice(tenants),
                Work(
                    round(draw.uniform(0, 2 * self.work_seconds), 3),
                    End.FAIL if draw.random() < 0.2 else End.COMPLETE,
                    # Only among the first, so that the drain need not wait for them.
                    transient_attempts=1 if draw.random() < 0.2 and number <= self.jobs / 2 else 0,
                ),
                twice=draw.random() < 0.2,
            )


def draw_plan(
    seed: int,
    fleets: Sequence[str],
    *,
    jobs: int,
    kills: int,
    gap_seconds: float,
    work_seconds: float,
    lease_seconds: float,
) -> KillPlan:
    """Return a plan of ``kills`` kills in all, spread over fleets and moments, with other strikes between."""
    draw = Random(seed)
    strikes: list[PlannedStrike] = []
    killed = 0
    while killed < kills:
        deed = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        # Longer than the lease: a paused holder must wake up to find its job taken over.
        lasts = {Deed.PAUSE: lease_seconds + draw.uniform(0, 2), Deed.SQS_DOWN: draw.uniform(0.5, 1.5)}
        moment = draw.choice(MOMENTS) if deed is Deed.KILL else RUNNING
        fleet, gap = draw.choice(fleets), round(draw.uniform(0, 2 * gap_seconds), 3)
        strikes.append(PlannedStrike(fleet, deed, moment.name, gap, round(lasts.get(deed, 0), 3)))
        killed += deed is Deed.KILL
    return KillPlan(seed, jobs, work_seconds, tuple(strikes))


def dumps(plan: KillPlan) -> str:
    """Return ``plan`` as the text of plan.json."""
    return json.dumps(asdict(plan), indent=1) + "\n"


MOST_JOBS = 1_000_000
"""Of a fleet in a saved plan."""
MOST_SECONDS = 24 * 3600
"""Of a job, a gap or a pause in a saved plan: a longer one would look like a run that hangs."""


def load(file: Path) -> KillPlan:
    """Return the plan that is saved in ``file``.  Raises :class:`PlanError`."""
    try:
        values = parse(read_text(file))
        if not isinstance(values, dict):
            raise Unfit(f"it holds {brief(values)} and no object")
        return made(KillPlan, values, {"strikes": _strikes, "jobs": _jobs, "work_seconds": _seconds})
    except OSError as error:
        raise PlanError(f"{file}: {error.strerror}; name the plan.json of a saved run") from None
    except ValueError as error:
        raise PlanError(
            f"{file}: this is no fault plan ({error}); name the plan.json of a saved run"
        ) from None


def _strikes(value: Any) -> tuple[PlannedStrike, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise MustBe("a list of strikes")
    checks: Mapping[str, Check] = {"gap": _seconds, "lasts": _seconds, "moment": _moment}
    return tuple(made(PlannedStrike, each, checks) for each in value)


def _jobs(value: Any) -> int:
    if not 1 <= as_whole(value) <= MOST_JOBS:
        raise MustBe(f"1 to {MOST_JOBS}")
    return as_whole(value)


def _seconds(value: Any) -> float:
    if not 0 <= as_number(value) <= MOST_SECONDS:
        raise MustBe(f"a number of seconds, 0 to {MOST_SECONDS}")
    return as_number(value)


def _moment(value: Any) -> str:
    moments = [moment.name for moment in MOMENTS]
    if as_text(value) not in moments:
        raise MustBe(f"one of {', '.join(moments)}")
    return as_text(value)
