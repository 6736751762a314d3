"""Whether a search finds deep defects in fewer steps when its generator prefers what was seldom reached.

    python benchmarks/feedback.py [--seeds 100-119] [--ways plain,rare] [--jobs 1]

Each defect is searched for on each seed in two ways: ``plain``, as the verifier does it, and ``rare``, with
feedback.  In ``rare``, an operation or a fault weighs up to eight times as much when the examples before this
one have seldom played it in the present state of its job and of the other unfinished jobs.

All random choices are Hypothesis's, and the feedback changes only between examples, so a seed plays the same
examples again.  But Hypothesis expects the same choices to mean the same steps in every example.  It often
varies an example from some choice on; when the shared choices then break what they did not break before, it
calls the search flaky, and the table counts that.

What it cannot show: that no other feedback would help; anything about runs of hours, in which a memory has
more time to pay off; or about defects that no search finds.  The defects were chosen by what ``plain`` needed
on seeds 100-119, which favours every other way on these seeds.  The two sweep defects mostly need the same
history, so the pairs are not independent: the test by seed is the careful one.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any, NamedTuple

from hypothesis.reporting import with_reporter

from statemachine.search.control import InvariantBroken, SearchControl
from statemachine.search.engine import play, register_profiles, sized
from statemachine.search.machine import JobMachine
from statemachine.search.pool import run_tasks
from statemachine.search.run import Run
from statemachine.world.databases.opening import open_lane
from statemachine.world.example import Example
from statemachine.world.operations import Offer
from statemachine.world.operations.named import Strikes

DEEPEST = (
    "all_running_jobs_failed",
    "sweep_sends_for_one_tenant",
    "failed_job_created_anew",
    "sweep_sends_the_last_job_only",
    "published_at_written_again",
)
"""The defects that need most examples by docs/certificate.md: by median, and of equal ones by maximum."""

EXAMPLES = 2000
PLAIN = "plain"

Cell = tuple[object, ...]


@dataclass
class FedControl(SearchControl):
    """Counts the steps until its first failure and what its examples have met."""

    found_steps: int | None = None
    seen: Counter[Cell] = field(default_factory=Counter)

    def check(self, example: Example) -> None:
        try:
            super().check(example)
        except InvariantBroken:
            if self.found_steps is None:
                self.found_steps = self.run.tally.steps
            raise


class FedMachine(JobMachine):
    """Adds to its control what an example has met, at the end of an example that broke nothing."""

    control: FedControl

    def __init__(self) -> None:
        super().__init__()
        self.cells: set[Cell] = set()

    def teardown(self) -> None:
        super().teardown()
        if self.at_rest and self.control.failure is None:
            self.control.seen.update(self.cells)


class RareMachine(FedMachine):
    """Weighs an offer more, the fewer examples have played it in the present state of its job."""

    MOST = 8
    SELDOM = 8
    FINE = 64
    """Weights are whole numbers; small differences must not be rounded away."""

    def __init__(self) -> None:
        super().__init__()
        self._strikes: dict[Cell, Strikes] = {}

    def boost(self, cell: Cell) -> float:
        return 1 + (self.MOST - 1) * self.SELDOM / (self.SELDOM + self.control.seen[cell])

    def offers(self) -> list[Offer]:
        return [self._weighed(offer) for offer in super().offers()]

    def _weighed(self, offer: Offer) -> Offer:
        cell = stands(self.example, offer.operation, offer.undisturbed)
        scale = self.FINE * self.boost(cell)
        whole = offer._replace(weight=round(offer.weight * scale))
        if not offer.strikes.each:
            return whole
        if cell not in self._strikes:
            self._strikes[cell] = self._seldom_first(offer.strikes, cell, scale)
        return whole._replace(strikes=self._strikes[cell])

    def _seldom_first(self, strikes: Strikes, cell: Cell, scale: float) -> Strikes:
        # The sum of the weights is kept, or faults would crowd out the calls that make progress.
        weights = [
            (end - start) * self.boost((*cell, strike.fault.value, strike.at))
            for strike, start, end in zip(strikes.each, (0, *strikes.ends), strikes.ends, strict=False)
        ]
        share = strikes.ends[-1] * scale / sum(weights)
        return Strikes(strikes.each, tuple(round(end * share) for end in accumulate(weights)))

    def perform(self, operation: str, arguments: dict[str, Any]) -> None:
        cell = stands(self.example, operation, arguments)
        self.cells.add(cell)
        if "fault" in arguments:
            self.cells.add((*cell, arguments["fault"], arguments.get("at", 1)))
        super().perform(operation, arguments)


def stands(example: Example, operation: str, arguments: dict[str, Any]) -> Cell:
    """Return the step with the states of its job and of the other unfinished jobs before it."""
    of = arguments.get("message") or arguments.get("job") or arguments.get("of") or arguments.get("worker")
    if of in example.queue.messages:
        of = example.queue.messages[of].job
    elif of in example.workers:
        of = example.workers[of].job
    rows, terminal = example.ledger.rows, example.lifecycle.terminal

    def standing(job: str) -> tuple[str, bool, bool]:
        return rows[job].status, example.ledger.lease_is_live(job), rows[job].published_at is not None

    others = sorted(standing(job) for job in rows if job != of and rows[job].status not in terminal)
    kind = tuple(arguments.get(name) for name in ("operation", "attempt", "deadline", "offset", "foreign"))
    return (operation, *kind, standing(of) if of in rows else None, *others)


WAYS: dict[str, type[JobMachine]] = {PLAIN: FedMachine, "rare": RareMachine}


class FeedbackHunt(NamedTuple):
    way: str
    defect: str
    seed: int


class FeedbackResult(NamedTuple):
    """What a search needed until its failure, or in all when it found none; times are real seconds."""

    hunt: FeedbackHunt
    found: bool
    examples: int
    steps: int
    seconds: float
    flaky: bool


def hunt(asked: FeedbackHunt) -> FeedbackResult:
    """Search on an empty database, without minimising what is found."""
    register_profiles()
    with open_lane(defect=asked.defect) as lane:
        control = FedControl(Run(lane))
        with with_reporter(lambda said: None):
            play(control, asked.seed, WAYS[asked.way], sized(EXAMPLES))
    if control.found_steps is None or control.found_after is None:
        tally = control.run.tally
        return FeedbackResult(asked, False, tally.examples, tally.steps, tally.seconds, False)
    return FeedbackResult(
        asked,
        True,
        control.finding_examples,
        control.found_steps,
        control.found_after,
        bool(control.unstable),
    )


def chance(better: int, worse: int) -> float:
    """Return how likely a split at least as uneven is when both sides are equal: the two-sided sign test.

    >>> chance(15, 5)
    0.04138946533203125
    """
    tried = better + worse
    tail = sum(math.comb(tried, few) for few in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / 2**tried)


def compared(plain: Sequence[float], fed: Sequence[float]) -> str:
    """Return in how many pairs ``fed`` needed less and more, with the sign test; equal pairs are left out."""
    better = sum(b < a for a, b in zip(plain, fed, strict=True))
    worse = sum(b > a for a, b in zip(plain, fed, strict=True))
    return f"{better} better, {worse} worse of {len(plain)}: p = {chance(better, worse):.3f}"


def report(found: dict[FeedbackHunt, FeedbackResult], ways: Sequence[str], seeds: Sequence[int]) -> None:
    print(
        "| way | defect | found | steps, median | mean | total | examples, median | mean | µs | flaky |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    for way in ways:
        for name, defects in [*((one, (one,)) for one in DEEPEST), ("all five", DEEPEST)]:
            line(way, name, [found[FeedbackHunt(way, defect, seed)] for defect in defects for seed in seeds])
    for way in ways:
        if way == PLAIN or PLAIN not in ways:
            continue
        print()

        def steps(by: str) -> list[list[int]]:
            return [[found[FeedbackHunt(by, defect, seed)].steps for defect in DEEPEST] for seed in seeds]

        plain, fed = steps(PLAIN), steps(way)
        print(f"{way}, steps by pair: {compared([*chain(*plain)], [*chain(*fed)])}")
        print(f"{way}, steps by seed: {compared([*map(sum, plain)], [*map(sum, fed)])}")


def line(way: str, name: str, several: Sequence[FeedbackResult]) -> None:
    steps, examples = [one.steps for one in several], [one.examples for one in several]
    cost = sum(one.seconds for one in several) / sum(steps) * 1e6
    print(
        f"| {way} | {name} | {sum(one.found for one in several)}/{len(several)} "
        f"| {statistics.median(steps):.0f} | {statistics.mean(steps):.0f} | {sum(steps)} "
        f"| {statistics.median(examples):.0f} | {statistics.mean(examples):.0f} | {cost:.0f} "
        f"| {sum(one.flaky for one in several)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="100-119", help="first-last")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    asked = parser.parse_args()
    first, last = map(int, asked.seeds.split("-"))
    seeds, ways = range(first, last + 1), asked.ways.split(",")
    hunts = [FeedbackHunt(way, defect, seed) for seed in seeds for defect in DEEPEST for way in ways]
    found: dict[FeedbackHunt, FeedbackResult] = {}
    waiting = iter(hunts)
    for one in run_tasks(hunt, lambda: next(waiting, None), asked.jobs):
        if one is not None:
            found[one.hunt] = one
            print(f"{len(found)}/{len(hunts)} {one}", file=sys.stderr, flush=True)
    report(found, ways, seeds)


if __name__ == "__main__":
    main()
