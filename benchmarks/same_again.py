"""Whether the transactions lane is deterministic: the same seed twice, and a shrunk failure many times.

    python benchmarks/same_again.py pairs [--pairs 200] [--examples 4]
    python benchmarks/same_again.py replays [--times 100] [DEFECT…]

``pairs`` plays each seed in two processes, each on a private server of its own, and compares all events of
all examples.  ``replays`` finds each defect of the lane with one seed, shrinks it, and replays what is saved.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections import Counter

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.commands.certificate.catalogue import catalogue
from statemachine.history import ndjson
from statemachine.history.ndjson import Header
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, register_profiles, sized
from statemachine.search.lanes import TRANSACTIONS
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.minimise import minimise
from statemachine.search.triage.replay import replay
from statemachine.world.clock import real_seconds
from statemachine.world.databases.opening import open_interleaved
from statemachine.world.example import Example
from statemachine.world.lane import Lane


def played(lane: Lane, seed: int, examples: int) -> tuple[str, int, Failure | None]:
    """Return the digest of all events with this seed, the number of steps, and the failure if any."""
    digest = hashlib.sha256()
    header = Header(DEFAULT_BINDING, lane.binding.lifecycle, seed, lane=TRANSACTIONS.name)

    def ended(example: Example) -> None:
        digest.update(ndjson.dumps(header, example.events).encode())

    run = TRANSACTIONS.new_run(lane)
    play(
        SearchControl(run, ended=ended),
        seed,
        TRANSACTIONS.machine,
        sized(examples, steps=TRANSACTIONS.steps),
    )
    return digest.hexdigest(), run.tally.steps, run.failure


def traces(pairs: int, examples: int) -> None:
    """Print a line for each seed; :func:`compare` runs this in two processes."""
    with open_interleaved() as lane:
        for seed in range(pairs):
            digest, steps, failure = played(lane, seed, examples)
            print(seed, digest, steps, "clean" if failure is None else "BROKEN", flush=True)


def compare(pairs: int, examples: int) -> int:
    command = [sys.executable, __file__, "traces", "--pairs", str(pairs), "--examples", str(examples)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    one, other = (process.communicate()[0].splitlines() for process in running)
    same = sum(mine == theirs for mine, theirs in zip(one, other, strict=False))
    broken = sum(line.endswith("BROKEN") for line in one)
    steps = sum(int(line.split()[2]) for line in one)
    print(f"{same} of {pairs} seeds gave the same events twice, {steps:,} steps each; {broken} broke a claim")
    return 0 if same == pairs and not broken else 1


def again(defect: str, times: int) -> bool:
    """Find ``defect``, shrink it, replay it ``times`` times, and return whether all replays were the same."""
    with open_interleaved(defect=defect) as lane:
        for seed in range(20):
            failure = played(lane, seed, 400)[2]
            if failure is not None:
                break
        else:
            print(f"{defect}: not found on seeds 0-19")
            return False
        shrunk = minimise(lane, failure)
        header = Header(DEFAULT_BINDING, lane.binding.lifecycle, seed, defect, TRANSACTIONS.name)
        saved = ndjson.loads(ndjson.dumps(header, shrunk.events), defect)
        began = real_seconds()
        outcomes = Counter(str(replay(lane, *saved).outcome) for _ in range(times))
        seconds = (real_seconds() - began) / times
    counts = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.items())
    print(f"{defect}: {counts} ({len(shrunk.steps)} steps, {seconds * 1000:.0f} ms a replay)", flush=True)
    return outcomes == Counter(REPRODUCED=times)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("pairs", "replays", "traces"))
    parser.add_argument("defects", nargs="*", metavar="DEFECT")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--examples", type=int, default=4, help="examples a seed (default: 4)")
    parser.add_argument("--times", type=int, default=100, help="replays of each failure (default: 100)")
    asked = parser.parse_args()
    register_profiles()
    if asked.what == "traces":
        traces(asked.pairs, asked.examples)
        return 0
    if asked.what == "pairs":
        return compare(asked.pairs, asked.examples)
    planted = catalogue(load(DEFAULT_BINDING))
    defects = asked.defects or [one.name for one in planted if one.lane == TRANSACTIONS.name]
    outcomes = [again(defect, asked.times) for defect in defects]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
