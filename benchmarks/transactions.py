"""The speed of the transactions lane beside a raw replay of its statements; how fast it notices a lock wait.

    python benchmarks/transactions.py [--examples 40] [--seed 0] [--blocks 4] [--waits 1000]

The raw replay executes with psycopg, on one connection to the same database, every statement that the lane's
operations have executed, call by call with their COMMITs, and resets as often.  It has no interleaving, no
ORM, no Hypothesis, no observation and no judging.  A second replay makes the same calls on the repositories,
each whole.  Lane and replays alternate in blocks, because the computer is noisy.

The latency is the time from the start of a statement until the lane knows whose lock it waits for.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from overhead import Recording, raw_calls, replay_raw

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.history import events as history
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, register_profiles, sized
from statemachine.search.lanes import TRANSACTIONS
from statemachine.world.clock import real_seconds
from statemachine.world.databases.opening import choose_settings, load_here
from statemachine.world.databases.postgresql import database
from statemachine.world.operations import perform
from statemachine.world.transactions.lane import TransactionsLane, open_on


class MeasuredLane(TransactionsLane):
    """A lane that keeps each statement with its parameters, and the latency of each lock wait."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.executed: list[dict[int, list[tuple[str, Any]]]] = []
        self.latencies: list[float] = []
        self.keeps = False
        self._began = 0.0

    def keep_statements(self) -> None:
        """Keep each statement from now on, by example and call."""
        self.keeps = True
        for session in self._scheduler._free:

            def note(
                execute: Any, sql: str, params: Any, many: bool, context: Any, session: Any = session
            ) -> Any:
                if session.control is not None and session.faults.watching:
                    self.executed[-1][self.example.current_call].append((sql, params))
                return execute(sql, params, many, context)

            session.wrapper.execute_wrappers.append(note)

    def begin(self, reach: Any = None) -> Any:
        self.executed.append(defaultdict(list))
        return super().begin(reach)

    def statement_began(self, statement: str) -> None:
        super().statement_began(statement)
        self._began = real_seconds()
        if self.keeps and statement in ("COMMIT", "ROLLBACK"):
            self.executed[-1][self.example.current_call].append((statement, None))

    def lock_waited(self, holder: int) -> None:
        self.latencies.append(real_seconds() - self._began)
        super().lock_waited(holder)


@contextmanager
def opened() -> Iterator[tuple[MeasuredLane, str]]:
    """A lane on a private server, and the URL of its database."""
    from unittest import mock

    with (
        database(None) as made,
        mock.patch("statemachine.world.transactions.lane.TransactionsLane", MeasuredLane),
    ):
        binding = load(DEFAULT_BINDING, None)
        with open_on(made.django_settings(), binding, DEFAULT_BINDING) as lane:
            assert isinstance(lane, MeasuredLane)
            yield lane, made.url


def executed_raw(lane: MeasuredLane, url: str, run: Recording) -> float:
    """Execute all statements of ``run`` again, call by call; return how many real seconds that took."""
    jobs = [raw_calls(lane, events)[0] for events in run.histories]
    statements = lane.executed[-len(jobs) :]
    lane.begin()
    with psycopg.connect(url) as connection:
        began = real_seconds()
        for of_example, calls in zip(jobs, statements, strict=True):
            for call in calls.values():
                for sql, params in call:
                    try:
                        if sql == "COMMIT":
                            connection.commit()
                        elif sql == "ROLLBACK":
                            connection.rollback()
                        else:
                            connection.execute(sql, params)
                    except psycopg.Error:
                        connection.rollback()
                connection.rollback()
            if of_example:
                lane.binding.reset(of_example)
        return real_seconds() - began


def count(run: Recording) -> int:
    return sum(isinstance(event, history.StatementBegan) for events in run.histories for event in events)


def speed(examples: int, seed: int, blocks: int) -> None:
    by_statement, by_call = [], []
    for block in range(blocks):
        with opened() as (lane, url):
            lane.keep_statements()
            run = Recording(lane)
            play(
                SearchControl(run),
                seed + block,
                TRANSACTIONS.machine,
                sized(examples, steps=TRANSACTIONS.steps),
            )
            statements = count(run)
            lane.executed = lane.executed[-len(run.histories) :]
            executed = executed_raw(lane, url, run)
            examples_raw = [raw_calls(lane, events) for events in run.histories]
            called = replay_raw(lane, [(jobs, calls) for jobs, calls in examples_raw if jobs])
        tally = run.tally
        by_statement.append(tally.seconds / executed)
        by_call.append(tally.seconds / called)
        print(
            f"seed {seed + block}: {tally.steps} steps, {statements} statements, lane "
            f"{statements / tally.seconds:.0f} statements/s, raw {statements / executed:.0f}, "
            f"ratio {by_statement[-1]:.2f}; repositories {statements / called:.0f}, ratio {by_call[-1]:.2f}"
        )
    print(
        f"median ratio {statistics.median(by_statement):.2f} to the statements alone, "
        f"{statistics.median(by_call):.2f} to whole calls on the repositories"
    )


def detection(waits: int) -> None:
    first = ("stray", {"operation": "fail", "job": "j1", "attempt": "next", "stepwise": True})
    with opened() as (lane, _):
        while len(lane.latencies) < waits:
            example = lane.begin()
            perform(example, "create", {"job": "j1", "tenant": "t1"})
            for _ in range(50):
                perform(example, *first)
                perform(example, *first)
                for by in ("stray", "stray 2"):
                    statement = example.in_flight[by].statement
                    perform(example, "proceed", {"by": by, "statement": statement})
                assert example.in_flight["stray 2"].blocked_by == "stray"
                while example.in_flight:
                    flying = next(one for one in example.in_flight.values() if not one.blocked_by)
                    perform(example, "proceed", {"by": flying.by, "statement": flying.statement})
        cuts = statistics.quantiles(lane.latencies, n=100)
    print(
        f"{len(lane.latencies)} waits for a lock: known after {cuts[49] * 1000:.1f} ms (p50), "
        f"{cuts[94] * 1000:.1f} ms (p95), {max(lane.latencies) * 1000:.1f} ms at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--waits", type=int, default=1000)
    asked = parser.parse_args()
    import django

    choose_settings(load_here(DEFAULT_BINDING, None), DEFAULT_BINDING)
    django.setup()
    register_profiles()
    speed(asked.examples, asked.seed, asked.blocks)
    detection(asked.waits)


if __name__ == "__main__":
    main()
