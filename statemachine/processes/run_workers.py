"""``python -m statemachine processes``: run real workers, kill them, and judge their logs."""

from __future__ import annotations

import argparse
import math
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING
from statemachine.binding.fleet import Fleet
from statemachine.invariants import Verdict
from statemachine.processes import plan as plans
from statemachine.processes.campaign import KillCampaign
from statemachine.processes.crew import judge_crew
from statemachine.processes.plan import KillPlan, draw_plan
from statemachine.processes.report import afterwards, last_line, report, save, verdict_on
from statemachine.processes.stage import PreparedStage, prepared_stage
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say, whole_number
from statemachine.report.failure_folder import FOLDER
from statemachine.report.text.paper import paper_for
from statemachine.world.databases.postgresql import named_server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system under test")
    add("--defect", metavar="NAME", help="plant one of the binding's known bugs, to see it caught")
    add("--database-server", metavar="URL", help="make the database on this PostgreSQL server, not SQLite")
    add("--seed", type=int, help="draw the plan from this seed (default: a new one, which is printed)")
    add("--jobs", type=whole_number, default=10, help="jobs of each pipeline, at least (default: 10)")
    add("--kills", type=whole_number, default=30, help="workers killed in all (default: 30)")
    add(
        "--gap",
        type=_seconds,
        default=0.5,
        metavar="SECONDS",
        help="seconds between two strikes on a pipeline, on average (default: 0.5)",
    )
    add(
        "--work",
        type=_seconds,
        default=0.3,
        metavar="SECONDS",
        help="work of a job, on average (default: 0.3)",
    )
    add("--workers", type=whole_number, default=2, help="worker processes of each pipeline (default: 2)")
    add(
        "--pipelines",
        nargs="+",
        metavar="NAME",
        help="run only these pipelines (default: all of the binding)",
    )
    add(
        "--visibility",
        type=whole_number,
        default=3,
        metavar="SECONDS",
        help="visibility timeout (default: 3)",
    )
    add(
        "--margin",
        type=whole_number,
        default=1,
        metavar="SECONDS",
        help="the lease is this much shorter (default: 1)",
    )
    add("--plan", type=Path, metavar="FILE", help="play a saved plan.json instead of drawing one")
    add(
        "--times",
        type=whole_number,
        default=1,
        metavar="N",
        help="play the plan N times, and say how often it failed",
    )
    add(
        "--keep",
        type=Path,
        metavar="DIR",
        help="save plan and logs in this new directory, whatever the verdict",
    )


def run(asked: argparse.Namespace) -> int:
    """Play the plan and print the report; return exit code 0 when every run passed, else 1."""
    _check(asked)
    saved = plans.load(asked.plan) if asked.plan else None
    _check_work(saved.work_seconds if saved else asked.work, asked.visibility)
    with prepared_stage(
        asked.binding,
        defect=asked.defect,
        server=named_server(asked.database_server),
        visibility_seconds=asked.visibility,
        margin_seconds=asked.margin,
    ) as stage:
        fleets = _chosen(stage, asked.pipelines)
        plan = saved or _drawn(asked, stage, fleets)
        for line in _header(stage, plan, fleets):
            say(line)
        failed = sum(_play(asked, stage, fleets, plan, time) for time in range(1, asked.times + 1))
    if asked.times > 1:
        say(f"FAILED in {failed} of {asked.times} runs of this plan")
    return BROKEN if failed else DONE


def _seconds(text: str) -> float:
    """Return an option's seconds, 0 or more.  Raises ``argparse.ArgumentTypeError``."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, 0 or more")
    return seconds


def _check(asked: argparse.Namespace) -> None:
    if asked.margin >= asked.visibility:
        raise UsageError(
            f"--margin {asked.margin}: the lease is the visibility timeout of {asked.visibility} s less the "
            "margin, at least 1 s; give a smaller margin or a longer --visibility"
        )
    if asked.keep and asked.keep.exists() and (not asked.keep.is_dir() or any(asked.keep.iterdir())):
        raise UsageError(f"--keep {asked.keep}: it exists and is not an empty directory; name a new one")


def _check_work(work: float, visibility: int) -> None:
    if 2 * work > visibility:
        raise UsageError(
            f"--work {work:g}: a job may cost twice that, and inference is cut at the visibility timeout of "
            f"{visibility} s; give at most {visibility / 2:g}, or a longer --visibility"
        )


def _chosen(stage: PreparedStage, names: Sequence[str] | None) -> list[Fleet]:
    known = {fleet.name: fleet for fleet in stage.fleets}
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise UsageError(
            f"--pipelines {' '.join(unknown)}: there is no such pipeline; there are {', '.join(known)}"
        )
    return [fleet for name, fleet in known.items() if names is None or name in names]


def _drawn(asked: argparse.Namespace, stage: PreparedStage, fleets: Sequence[Fleet]) -> KillPlan:
    return draw_plan(
        secrets.randbelow(2**32) if asked.seed is None else asked.seed,
        [fleet.name for fleet in fleets],
        jobs=asked.jobs,
        kills=asked.kills,
        gap_seconds=asked.gap,
        work_seconds=asked.work,
        lease_seconds=stage.stage.lease_seconds,
    )


def _header(stage: PreparedStage, plan: KillPlan, fleets: Sequence[Fleet]) -> list[str]:
    times = stage.stage
    planted = f" with the defect {times.defect} planted" if times.defect else ""
    return [
        f"processes: {', '.join(fleet.name for fleet in fleets)}{planted}; seed {plan.seed}",
        f"database: {stage.database.description}; queue: SQS by moto, on loopback",
        f"times: visibility {times.visibility_seconds} s, lease {times.lease_seconds} s: scaled, with the "
        "margin rule of production (lease = visibility - margin)",
    ]


def _play(
    asked: argparse.Namespace, stage: PreparedStage, fleets: Sequence[Fleet], plan: KillPlan, time: int
) -> bool:
    """Play the plan once and report; return whether it failed."""
    campaign = KillCampaign(plan, fleets, asked.workers, stage.database, stage.sqs, say, time)
    try:
        played = campaign.run()
    finally:
        campaign.stop()
    judged = [judge_crew(crew, stage.stage.directory / "logs") for crew in played.crews]
    for line in report(played, judged, paper_for(sys.stdout)):
        say(line)
    verdict = verdict_on(played, judged)
    if verdict is not Verdict.PASS or asked.keep:
        which = f"-{time}" if asked.times > 1 else ""
        folder = asked.keep / f"run{which}" if asked.keep and which else asked.keep
        folder = folder or _emptied(FOLDER / f"processes-{plan.seed}{which}")
        save(folder, plan, judged)
        for line in afterwards(folder, judged, asked.binding, asked.defect):
            say(line)
    say(last_line(verdict))
    return verdict is not Verdict.PASS


def _emptied(folder: Path) -> Path:
    """Remove the logs of an earlier run: they would be judged with those of this one."""
    for log in folder.glob("*.log"):
        log.unlink()
    return folder


COMMAND = Command(
    "processes",
    "Run real workers on a real database and SQS API, kill them at chosen moments, and judge their logs.",
    add_arguments,
    run,
)
