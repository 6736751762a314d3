"""Jobs per second of two real workers, without kills and with one of them killed every few seconds.

    python benchmarks/throughput_under_kills.py [--jobs 1000] [--seconds 90] [--every 3] [--blocks 1]

The two alternate, so that a slow minute of the computer slows both.  A job's own work is short on purpose:
most of its time is SQS by moto, SQLite and the worker's steps.
"""

from __future__ import annotations

import argparse
from datetime import datetime

from statemachine.processes.campaign import KillCampaign, PlayedPlan
from statemachine.processes.figures import figures
from statemachine.processes.moments import MOMENTS
from statemachine.processes.plan import Deed, KillPlan, PlannedStrike
from statemachine.processes.stage import PreparedStage, prepared_stage


def plan(seed: int, jobs: int, seconds: float, every: float, work: float) -> KillPlan:
    """Return a plan of a kill every ``every`` seconds for ``seconds``, at each moment in turn; 0 for none."""
    kills = int(seconds / every) if every else 0
    strikes = [
        PlannedStrike("ai", Deed.KILL, MOMENTS[place % len(MOMENTS)].name, every) for place in range(kills)
    ]
    return KillPlan(seed, jobs, work, tuple(strikes))


def play(stage: PreparedStage, plan: KillPlan, time: int) -> PlayedPlan:
    campaign = KillCampaign(plan, stage.fleets[:1], 2, stage.database, stage.sqs, print, time)
    try:
        return campaign.run()
    finally:
        campaign.stop()


def jobs_a_second(played: PlayedPlan) -> float:
    """Return the number of jobs by the seconds from the first receive to the last finish."""
    (crew,) = played.crews
    at = {"message.received": [], "finish.accepted": []}
    for event in crew.events():
        if event["event"] in at:
            at[event["event"]].append(datetime.fromisoformat(event["at"]))
    seconds = (max(at["finish.accepted"]) - min(at["message.received"])).total_seconds()
    return len(crew.jobs) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two kills")
    parser.add_argument("--seconds", type=float, default=90.0, help="how long workers are killed")
    parser.add_argument("--work", type=float, default=0.02, help="seconds a job costs on average")
    parser.add_argument("--blocks", type=int, default=1)
    asked = parser.parse_args()
    with prepared_stage("models_under_test.binding:AIJobsBinding") as stage:
        for block in range(asked.blocks):
            rates = []
            for number, every in enumerate((0.0, asked.every)):
                drawn = plan(block, asked.jobs, asked.seconds, every, asked.work)
                played = play(stage, drawn, 2 * block + number + 1)
                found, rate = figures(played), jobs_a_second(played)
                rates.append(rate)
                print(
                    f"{found.jobs} jobs, {found.kills} kills, {rate:.1f} jobs/s; lost {found.lost}; "
                    f"holders killed {found.holders_killed}, taken over exactly once {found.taken_over_once}"
                )
            print(f"with kills / without: {rates[1] / rates[0]:.2f}")


if __name__ == "__main__":
    main()
