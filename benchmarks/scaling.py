"""What a step costs in a full table and in a long example, compared with the usual ones.

    python benchmarks/scaling.py [--examples 60] [--rounds 3] [--seed 0]

Two ratios: 1,000 jobs that exist already against 10, and examples of 500 steps against 50.  The sides of a
ratio alternate, because the computer is noisy; the median of the rounds is reported.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

from hypothesis import settings

from statemachine.search.control import SearchControl
from statemachine.search.engine import register_profiles, search, sized
from statemachine.search.run import Run
from statemachine.world.databases.opening import open_lane
from statemachine.world.lane import Lane


def seconds_a_step(lane: Lane, seed: int, examples: int, steps: int) -> float:
    run = Run(lane)
    search(SearchControl(run), seed, settings(sized(examples), stateful_step_count=steps))
    if run.failure is not None:
        raise SystemExit(f"the system under test is broken: {run.failure.headline.story}")
    return run.tally.seconds / run.tally.steps


def with_existing_jobs(lane: Lane, number: int, measure: Callable[[], float]) -> float:
    """Return ``measure()`` while ``number`` jobs exist that belong to no example."""
    names = [f"existing-{place}" for place in range(number)]
    lane.begin()
    for place, name in enumerate(names):
        tenant = lane.binding.tenants[place % len(lane.binding.tenants)]
        lane.binding.create(name, tenant)
        lane.binding.publish(name, tenant)  # or every sweep would send them
    try:
        return measure()
    finally:
        lane.begin()
        lane.binding.reset(names)


def report(what: str, pairs: list[tuple[float, float]]) -> None:
    ratios = [many / few for many, few in pairs]
    costs = ", ".join(f"{few * 1e6:.0f} → {many * 1e6:.0f} µs" for many, few in pairs)
    print(f"{what}: {costs} a step; median ratio {statistics.median(ratios):.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=60, help="examples of 50 steps a measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()

    register_profiles()
    with open_lane() as lane:
        seconds_a_step(lane, asked.seed, 10, 50)  # warm up

        def usual() -> float:
            return seconds_a_step(lane, asked.seed, asked.examples, 50)

        full, long = [], []
        for _ in range(asked.rounds):
            few = with_existing_jobs(lane, 10, usual)
            full.append((with_existing_jobs(lane, 1000, usual), few))
            short = usual()
            long.append((seconds_a_step(lane, asked.seed, max(1, asked.examples // 10), 500), short))
    report("1,000 existing jobs against 10", full)
    report("500 steps an example against 50", long)


if __name__ == "__main__":
    main()
