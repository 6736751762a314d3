"""Code that does to its connection and to exceptions what it likes: the lane goes on, and judges it."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest

from statemachine.binding import BindingError
from statemachine.history import events as history
from statemachine.world.example import Example
from statemachine.world.operations import perform
from statemachine.world.operations.drain import drain
from statemachine.world.transactions.lane import TransactionsLane
from statemachine.world.transactions.scheduler import UnkillableCode
from tests.support.postgresql import OpenTransactions
from tests.world.transactions import systems
from tests.world.transactions.scripts import (
    DELIVERED,
    EXPIRED,
    SENT,
    UNSENT,
    faults,
    finish,
    go,
    play,
    statements,
    stepwise,
)

LOCKED, WRITTEN = "SELECT ai_job FOR UPDATE", "UPDATE ai_job"


def prepared(lane: TransactionsLane, *workers: str) -> Example:
    """An example in which these workers are about to ask for one lease."""
    example = lane.begin()
    play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in workers))
    return example


def nothing_is_left(lane: TransactionsLane) -> None:
    outside: Any = lane.outside  # type: ignore[attr-defined]
    assert outside.transactions == []
    assert outside.locks == []


def ends_well(lane: TransactionsLane, example: Example) -> None:
    assert not example.in_flight
    nothing_is_left(lane)
    drain(example)
    assert example.judge.violations == []


ALL_WELL = {
    systems.ClosesFirst: [LOCKED, WRITTEN, "COMMIT"],
    systems.WritesWhateverHappens: [LOCKED, WRITTEN, WRITTEN, "COMMIT", WRITTEN],
    systems.Hooked: [LOCKED, WRITTEN, "COMMIT", WRITTEN, WRITTEN],
    systems.Reads: [LOCKED, WRITTEN, "SELECT ai_job", "INSERT tenant", WRITTEN, "COMMIT"],
    systems.ReadsOutside: ["SELECT tenant", LOCKED, WRITTEN, "COMMIT"],
    systems.WithoutAutocommit: [LOCKED, WRITTEN, "COMMIT"],
}


@pytest.mark.parametrize("system", ALL_WELL)
def test_its_statements_are_steps_whatever_it_does(
    system: type[Any], open_transactions: OpenTransactions
) -> None:
    with open_transactions(systems.path_of(system)) as lane:
        for _ in range(2):
            example = prepared(lane, "A")
            assert finish(example, "A") == ALL_WELL[system]
            assert statements(example, 5) == ALL_WELL[system]
            ends_well(lane, example)


@pytest.mark.parametrize("system", ALL_WELL)
def test_two_of_them_at_once_in_every_order_of_ten(
    system: type[Any], open_transactions: OpenTransactions
) -> None:
    with open_transactions(systems.path_of(system)) as lane:
        for first in range(5):
            for one, other in ("AB", "BA"):
                example = prepared(lane, "A", "B")
                go(example, one, first)
                while example.in_flight:
                    assert go(example, other) + go(example, one)
                ends_well(lane, example)


def test_a_connection_that_is_closed_in_a_transaction_rolls_back(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.ClosesInside)) as lane:
        example = prepared(lane, "A")
        assert finish(example, "A") == [LOCKED, WRITTEN]
        assert example.ledger.rows["j1"].status == "PENDING"
        nothing_is_left(lane)
        # It says that it has the lease, and has nothing.
        assert [violation.invariant for violation in example.judge.violations][:1] == [
            "operations_write_by_the_table"
        ]


def test_its_sessions_do_not_become_more(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.ClosesFirst)) as lane:
        outside: Any = lane.outside  # type: ignore[attr-defined]
        assert len(outside.sessions) == 4, "the lane's own, one that watches, and two of the system"
        for _ in range(5):
            example = prepared(lane, "A", "B")
            go(example, "A")
            perform(example, "kill_in_flight", {"by": "A"})
            finish(example, "B")
        assert len(outside.sessions) == 4


def test_system_exit_is_an_answer(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.Exits)) as lane:
        example = prepared(lane, "A")
        assert finish(example, "A") == [LOCKED, WRITTEN, "ROLLBACK"]
        (raised,) = [event for event in example.events if isinstance(event, history.Raised)]
        assert raised.error == "SystemExit: in the middle"
        assert example.ledger.rows["j1"].status == "PENDING"
        assert not example.in_flight
        nothing_is_left(lane)


def test_keyboard_interrupt_ends_everything_in_flight(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.Interrupts)) as lane:
        for _ in range(3):
            example = lane.begin()
            play(example, *DELIVERED, stepwise(("prepare", {"worker": "A"})))
            play(example, stepwise(("stray", {"operation": "fail", "job": "j1", "attempt": "next"})))
            go(example, "A", 2)
            with pytest.raises(KeyboardInterrupt):
                go(example, "A", 2)
            assert list(example.in_flight) == ["stray"]
            lane.abandon()
            assert not example.in_flight
            nothing_is_left(lane)
        example = lane.begin()
        play(example, *SENT)
        ends_well_without_a_lease(lane)


def ends_well_without_a_lease(lane: TransactionsLane) -> None:
    nothing_is_left(lane)
    assert lane.example.judge.violations == []


def test_a_kill_passes_by_who_retries_errors(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.RetriesErrors)) as lane:
        for blocked in (False, True):
            example = lane.begin()
            play(example, *EXPIRED, stepwise(("complete", {"worker": "A"})))
            if blocked:
                play(example, stepwise(("prepare", {"worker": "B"})))
                go(example, "B")
                go(example, "A")
                assert example.in_flight["A"].blocked_by == "B"
            play(example, ("kill_in_flight", {"by": "A"}))
            assert "A" not in example.in_flight
            finish(example, "B")
            ends_well(lane, example)


@pytest.mark.parametrize("blocked", [False, True])
def test_what_can_never_be_killed_is_said_and_left_alone(
    blocked: bool, open_transactions: OpenTransactions
) -> None:
    with open_transactions(systems.path_of(systems.NeverGivesUp)) as lane:
        binding: Any = lane.binding
        example = prepared(lane, "A", "B")
        go(example, "A")
        if blocked:
            go(example, "B")
            assert example.in_flight["B"].blocked_by == "A"
        with pytest.raises(UnkillableCode, match="B was killed, and its code catches even that"):
            perform(example, "kill_in_flight", {"by": "B"})
        assert issubclass(UnkillableCode, BindingError)
        finish(example, "A")
        nothing_is_left(lane)
        example = prepared(lane, "A")
        finish(example, "A")
        ends_well(lane, example)
        tries = binding.tries
        gc.collect()
        assert binding.tries == tries


def test_what_never_ends_is_abandoned_all_the_same(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.NeverGivesUp)) as lane:
        example = prepared(lane, "A", "B")
        go(example, "A")
        go(example, "B")
        since = time.perf_counter()
        example = prepared(lane, "A", "B")
        assert time.perf_counter() - since < 10
        go(example, "A", 2)
        lane.abandon()
        nothing_is_left(lane)
    gc.collect()


def test_a_sweep_is_about_each_job_that_it_sends(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        example = lane.begin()
        play(example, *UNSENT, stepwise(("recover", {})))
        names = finish(example, "sweep")
        assert names == ["SELECT ai_job", "COMMIT", WRITTEN, "COMMIT", WRITTEN, "COMMIT"]
        assert [event.job for event in example.events if isinstance(event, history.Sent)] == ["j1", "j2"]
        ends_well(lane, example)


def test_a_sweep_waits_for_the_second_job_only(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        example = lane.begin()
        play(example, *UNSENT, stepwise(("stray", {"operation": "fail", "job": "j2", "attempt": "next"})))
        play(example, stepwise(("recover", {})))
        go(example, "stray")
        assert finish(example, "sweep") == ["SELECT ai_job", "COMMIT", WRITTEN, "COMMIT", WRITTEN]
        assert example.in_flight["sweep"].blocked_by == "stray"
        play(example, ("kill_in_flight", {"by": "sweep"}))
        assert faults(example) == ["kill_while_blocked"]
        finish(example, "stray")
        with lane.looking():
            rows = lane.binding.observe([example.ids.of("j1"), example.ids.of("j2")])
        published = {example.ids.named(row.job): row.published_at is not None for row in rows}
        assert published == {"j1": True, "j2": False}
        ends_well(lane, example)
