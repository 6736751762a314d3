"""How surely and how soon each planted defect is found, and how short its history becomes.

    python benchmarks/power.py                       seeds 100-119, the ones to report
    python benchmarks/power.py --seeds 0-19          the ones to tune on
    python benchmarks/power.py --defects lease_edge_excluded --examples 100

Each defect and seed is a search of its own with an empty example database, one process a core.
Seconds depend on the machine and its load; examples and lengths do not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple


class Found(NamedTuple):
    defect: str
    seed: int
    invariant: str | None
    examples: int
    seconds: float
    found_length: int
    length: int
    shrink_seconds: float


def hunt(defect: str, seed: int, examples: int, hypothesis_shrinks: bool) -> Found:
    """One search, in this process."""
    from hypothesis import Phase, settings

    from statemachine.embedded import FINDING, register_profiles, search
    from statemachine.run import Run
    from statemachine.standalone import open_lane

    register_profiles()
    with open_lane(defect=defect) as lane:
        run = Run(lane)
        profile = settings(settings.get_profile("dev"), max_examples=examples, database=None)
        search(run, seed, profile, (*FINDING, Phase.shrink) if hypothesis_shrinks else FINDING)
    if run.failure is None or run.found_after is None:
        return Found(defect, seed, None, run.examples, run.seconds, 0, 0, 0)
    return Found(
        defect,
        seed,
        run.failure.headline.invariant,
        run.finding_examples,
        run.found_after,
        len([step for step in (run.as_found or run.failure).steps if not step.drain]),
        len([step for step in run.failure.steps if not step.drain]),
        run.seconds - run.found_after,
    )


def row(defect: str, hunted: list[Found]) -> str:
    hits = [one for one in hunted if one.invariant]
    invariants = ", ".join(sorted({str(one.invariant) for one in hits})) or "-"
    if not hits:
        return f"| {defect} | {invariants} | 0/{len(hunted)} | | | | | |"
    examples = [one.examples for one in hits]
    seconds = [one.seconds for one in hits]
    found = [one.found_length for one in hits]
    lengths = [one.length for one in hits]
    shrinks = [one.shrink_seconds for one in hits]
    return (
        f"| {defect} | {invariants} | {len(hits)}/{len(hunted)} "
        f"| {statistics.median(examples):.0f} / {max(examples)} "
        f"| {statistics.median(seconds):.1f} / {max(seconds):.1f} "
        f"| {statistics.median(found):.0f} / {max(found)} "
        f"| {statistics.median(lengths):.0f} / {max(lengths)} "
        f"| {statistics.median(shrinks):.1f} / {max(shrinks):.1f} |"
    )


def main() -> None:
    from models_under_test.defects import STORIES

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="100-119", help="first-last, both included (default: 100-119)")
    parser.add_argument("--examples", type=int, default=2000, help="examples a search (default: 2000)")
    parser.add_argument("--defects", nargs="+", default=sorted(STORIES), help="names (default: all)")
    parser.add_argument(
        "--hypothesis-shrinks", action="store_true", help="let Hypothesis shrink before our own minimising"
    )
    parser.add_argument("--json", type=Path, help="also write every single result there")
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)

    print("Steps before the drain, clock moves included; each pair is median / worst.\n")
    print("| defect | found by | found | examples | seconds | steps found | minimal | seconds to shrink |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    everything: list[Found] = []
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        hunts = {
            defect: [
                pool.submit(hunt, defect, seed, asked.examples, asked.hypothesis_shrinks) for seed in seeds
            ]
            for defect in asked.defects
        }
        for defect, waiting in hunts.items():
            found = [one.result() for one in waiting]
            everything += found
            print(row(defect, found), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([one._asdict() for one in everything], indent=1))


if __name__ == "__main__":
    main()
