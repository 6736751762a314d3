"""What the search costs beside the system itself: its speed against a raw replay of the same calls.

    python benchmarks/overhead.py [--examples 300] [--seed 0]

The raw replay makes as many calls on the binding as the search made (``mark_running`` for each prepare; no
faults, so calls that were rolled back are committed here), on the same in-memory database at the same frozen
times, and resets as often.  It has no Hypothesis, no queue, no observation and no judging.  Both are counted
in the steps of the search, so the ratio is the cost of a step to the cost of its repository calls alone.
They alternate in blocks, because the computer is noisy.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

from statemachine.history import events as history
from statemachine.lifecycle import MESSAGE_STEPS, Operation
from statemachine.search.control import SearchControl
from statemachine.search.engine import register_profiles, search, sized
from statemachine.search.run import Run
from statemachine.world.clock import real_seconds
from statemachine.world.databases.opening import open_lane
from statemachine.world.example import Example
from statemachine.world.lane import Lane

Call = tuple[float, Callable[[], object]]


class Recording(Run):
    """A run that keeps the events of its examples."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(lane)
        self.histories: list[list[history.Event]] = []

    def end_example(self, example: Example) -> None:
        super().end_example(example)
        self.histories.append(example.events)


class _SwallowingQueue:
    def send(self, job: str, tenant: str) -> None:
        pass


class _SwallowingPublisher:
    def enqueue(self, job: str, tenant: str) -> None:
        pass


def raw_calls(lane: Lane, events: list[history.Event]) -> tuple[list[str], list[Call]]:
    """Return the jobs of one example, and each of its calls on the binding with the second of the call."""
    binding = lane.binding
    swept = {event.call for event in events if isinstance(event, history.Invoked) and not event.job}
    jobs: list[str] = []
    calls: list[Call] = []
    for event in events:
        if isinstance(event, history.Invoked) and event.operation in MESSAGE_STEPS:
            continue
        if not isinstance(event, history.Invoked) or event.call in swept:
            if isinstance(event, history.Invoked):
                calls.append((event.at, binding.recover))
            continue
        job, tenant, attempt, payload = event.job, event.tenant, event.attempt or 0, event.payload or ""
        if event.operation is Operation.CREATE and job not in jobs:
            jobs.append(job)
        thunks: dict[Operation, Callable[[], object]] = {
            Operation.CREATE: lambda job=job, tenant=tenant: binding.create(job, tenant),
            Operation.PUBLISH: lambda job=job, tenant=tenant: binding.publish(job, tenant),
            Operation.PREPARE: lambda job=job, tenant=tenant: binding.mark_running(job, tenant),
            Operation.MARK_RUNNING: lambda job=job, tenant=tenant: binding.mark_running(job, tenant),
            Operation.COMPLETE: lambda a=(job, tenant, attempt, payload): binding.complete(*a),
            Operation.FAIL: lambda a=(job, tenant, attempt, payload): binding.fail(*a),
            Operation.RELEASE: lambda a=(job, tenant, attempt, payload): binding.release(*a),
        }
        calls.append((event.at, thunks[event.operation]))
    return jobs, calls


def replay_raw(lane: Lane, examples: list[tuple[list[str], list[Call]]]) -> float:
    """Make all calls of ``examples``; return how many real seconds that took."""
    lane.begin()
    lane.faults.disarm()
    lane.binding.open(_SwallowingQueue(), _SwallowingPublisher())  # type: ignore[arg-type]
    began = real_seconds()
    for jobs, calls in examples:
        for at, call in calls:
            lane.clock.move_to(at)
            try:
                call()
            except Exception:  # noqa: BLE001  a create of an id that exists raises, as it did in the search
                continue
        lane.binding.reset(jobs)
    return real_seconds() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--blocks", type=int, default=4)
    asked = parser.parse_args()
    register_profiles()
    ratios = []
    for block in range(asked.blocks):
        with open_lane() as lane:
            run = Recording(lane)
            search(SearchControl(run), asked.seed + block, sized(asked.examples))
            raw = replay_raw(lane, [raw_calls(lane, events) for events in run.histories])
        tally = run.tally
        ratios.append(tally.seconds / raw)
        print(
            f"seed {asked.seed + block}: {tally.steps} steps, "
            f"machine {tally.steps / tally.seconds:.0f} steps/s, "
            f"raw {tally.steps / raw:.0f} steps/s, ratio {ratios[-1]:.2f}"
        )
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
