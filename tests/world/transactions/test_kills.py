"""Kills, at each statement there is: parked before it, blocked in it, and when its lock has been granted.

The transaction of the dead is rolled back, its locks are free, it executes nothing any more, and the other
operation goes on.  What the dead did is seen by the server's own eyes: transactions, locks and rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from statemachine.history.events import Unknown
from statemachine.world.example import Example
from statemachine.world.operations.drain import drain
from statemachine.world.transactions.lane import TransactionsLane
from tests.support.postgresql import OpenTransactions, Outside
from tests.world.transactions import systems
from tests.world.transactions.scripts import (
    BEGINNINGS,
    DELIVERED,
    EXPIRED,
    RUNNING,
    Beginning,
    Turn,
    faults,
    finish,
    go,
    play,
    statements,
    stepwise,
)

every_operation = pytest.mark.parametrize("operation", BEGINNINGS)


def test_a_dead_process_executes_nothing_else_either(open_transactions: OpenTransactions) -> None:
    path = systems.path_of(systems.WritesWhateverHappens)
    with open_transactions(path) as lane:
        for place in range(3):
            example = begun(lane, BEGINNINGS["prepare"])
            go(example, "A", place)
            play(example, ("kill_in_flight", {"by": "A"}))
            assert comment_on_jobs() is None
        with lane.looking():
            systems._say_that_it_lives()
        assert comment_on_jobs() == systems.LIVES, "or it could not be seen"


def comment_on_jobs() -> object:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description('ai_job'::regclass)")
        return cursor.fetchone()[0]


def rows(lane: TransactionsLane) -> list[Any]:
    """All that is committed, as nobody of the lane sees it."""
    with lane.looking():
        return [sorted(lane.binding.observe(["j1", "j2"])), lane.binding.others([])]


def begun(lane: TransactionsLane, beginning: Beginning) -> Example:
    example = lane.begin()
    play(example, *beginning.steps, stepwise(beginning.turn))
    return example


def outside_of(lane: TransactionsLane) -> Outside:
    outside: Outside = lane.outside  # type: ignore[attr-defined]
    return outside


def is_dead(lane: TransactionsLane, example: Example, by: str, call: int, kill: Callable[[], None]) -> None:
    """Kill, and see that nothing but the end of the call comes of it."""
    before, executed = rows(lane), statements(example, call)
    kill()
    assert by not in example.in_flight
    assert statements(example, call) == executed
    assert rows(lane) == before
    ends = [event for event in example.events if isinstance(event, Unknown) and event.call == call]
    assert [end.reason for end in ends] == ["killed"]


@every_operation
def test_killed_before_each_of_its_statements(operation: str, open_transactions: OpenTransactions) -> None:
    beginning = BEGINNINGS[operation]
    with open_transactions() as lane:
        names = finish(begun(lane, beginning), beginning.by)
        assert "COMMIT" in names
        for place, name in enumerate(names):
            example = begun(lane, beginning)
            assert go(example, beginning.by, place) == names[:place]
            call = example.in_flight[beginning.by].call
            is_dead(
                lane,
                example,
                beginning.by,
                call,
                lambda example=example: play(example, ("kill_in_flight", {"by": beginning.by})),
            )
            kill = "kill_before_commit" if name == "COMMIT" else "kill_before_statement"
            assert faults(example) == [kill]
            assert outside_of(lane).transactions == []
            assert outside_of(lane).locks == []
            drain(example)
            assert example.judge.violations == []


@every_operation
@pytest.mark.parametrize("fault", ["kill_after_commit", "answer_lost"])
def test_struck_after_each_of_its_commits(
    operation: str, fault: str, open_transactions: OpenTransactions
) -> None:
    beginning = BEGINNINGS[operation]
    with open_transactions() as lane:
        names = finish(begun(lane, beginning), beginning.by)
        for place in (place for place, name in enumerate(names) if name == "COMMIT"):
            example = begun(lane, beginning)
            go(example, beginning.by, place)
            call = example.in_flight[beginning.by].call
            executed = len(statements(example, call))
            play(example, ("proceed", {"by": beginning.by, "statement": "COMMIT", "fault": fault}))
            assert faults(example) == [fault]
            assert statements(example, call)[executed] == "COMMIT"
            if fault == "kill_after_commit":
                assert beginning.by not in example.in_flight
                assert len(statements(example, call)) == executed + 1
            finish(example, beginning.by)
            assert outside_of(lane).transactions == []
            drain(example)
            assert example.judge.violations == []


MEETING: dict[str, tuple[tuple[Turn, ...], Turn, Turn, str]] = {
    "prepare": (DELIVERED, ("prepare", {"worker": "B"}), ("prepare", {"worker": "A"}), "A"),
    "complete": (EXPIRED, ("prepare", {"worker": "B"}), ("complete", {"worker": "A"}), "A"),
    "fail": (EXPIRED, ("prepare", {"worker": "B"}), ("fail", {"worker": "A"}), "A"),
    "release": (EXPIRED, ("prepare", {"worker": "B"}), ("release", {"worker": "A"}), "A"),
    "mark_running": (DELIVERED, ("prepare", {"worker": "B"}), ("mark_running", {"job": "j1"}), "stray"),
    "stray": (
        RUNNING,
        ("prepare", {"worker": "B"}),
        ("stray", {"operation": "fail", "job": "j1", "attempt": "next"}),
        "stray",
    ),
}
"""What leads there, who is to hold the lock, who is to wait for it and by whom that is made."""
every_meeting = pytest.mark.parametrize("operation", MEETING)


def blocked(lane: TransactionsLane, operation: str) -> Example:
    steps, holder, waiter, by = MEETING[operation]
    example = lane.begin()
    play(example, *steps, stepwise(holder), stepwise(waiter))
    go(example, "B")
    while not example.in_flight[by].blocked_by:
        assert go(example, by), f"{operation} came to its end"
    assert example.in_flight[by].blocked_by == "B"
    return example


@every_meeting
def test_killed_while_it_waits_for_a_lock(operation: str, open_transactions: OpenTransactions) -> None:
    by = MEETING[operation][3]
    with open_transactions() as lane:
        example = blocked(lane, operation)
        call = example.in_flight[by].call
        is_dead(lane, example, by, call, lambda: play(example, ("kill_in_flight", {"by": by})))
        assert faults(example) == ["kill_while_blocked"]
        assert len(outside_of(lane).transactions) == 1, "that of the one who holds the lock"
        assert "COMMIT" in finish(example, "B") or operation == "stray"
        assert outside_of(lane).locks == []
        drain(example)
        assert example.judge.violations == []


@every_meeting
def test_killed_when_its_lock_was_granted(operation: str, open_transactions: OpenTransactions) -> None:
    by = MEETING[operation][3]
    with open_transactions() as lane:
        example = blocked(lane, operation)
        finish(example, "B")
        assert example.in_flight[by].statement == "resumes"
        assert not example.in_flight[by].blocked_by
        call = example.in_flight[by].call
        is_dead(lane, example, by, call, lambda: play(example, ("kill_in_flight", {"by": by})))
        assert outside_of(lane).transactions == []
        assert outside_of(lane).locks == []
        drain(example)
        assert example.judge.violations == []


@every_meeting
def test_a_waiting_operation_goes_on_when_the_holder_dies(
    operation: str, open_transactions: OpenTransactions
) -> None:
    by = MEETING[operation][3]
    with open_transactions() as lane:
        example = blocked(lane, operation)
        call = example.in_flight["B"].call
        is_dead(lane, example, "B", call, lambda: play(example, ("kill_in_flight", {"by": "B"})))
        assert not example.in_flight[by].blocked_by
        assert finish(example, by)[0] == "resumes"
        assert not example.in_flight
        assert outside_of(lane).locks == []
        drain(example)
        assert example.judge.violations == []


ROUGH = [
    systems.Nested,
    systems.Autocommits,
    systems.WithoutAutocommit,
    systems.ClosesFirst,
    systems.WritesWhateverHappens,
    systems.Hooked,
    systems.Reads,
    systems.ReadsOutside,
]


@pytest.mark.parametrize("system", ROUGH)
def test_rough_code_is_dead_at_each_of_its_statements(
    system: type[Any], open_transactions: OpenTransactions
) -> None:
    beginning = BEGINNINGS["prepare"]
    with open_transactions(systems.path_of(system)) as lane:
        names = finish(begun(lane, beginning), "A")
        assert len(names) > 1
        for place in range(len(names)):
            example = begun(lane, beginning)
            assert go(example, "A", place) == names[:place]
            call = example.in_flight["A"].call
            is_dead(
                lane,
                example,
                "A",
                call,
                lambda example=example: play(example, ("kill_in_flight", {"by": "A"})),
            )
            assert outside_of(lane).transactions == [], names[place]
            assert outside_of(lane).locks == []
            # Nor does it afterwards, in somebody else's name.
            before = len(example.events)
            play(example, ("prepare", {"worker": "B"}))
            assert {getattr(event, "call", call + 1) for event in example.events[before:]} == {call + 1}
            assert example.ledger.rows["j1"].status == "RUNNING"


@pytest.mark.parametrize("system", [system for system in ROUGH if system is not systems.Autocommits])
def test_rough_code_is_dead_while_it_waits(system: type[Any], open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(system)) as lane:
        for granted in (False, True):
            example = lane.begin()
            play(example, *DELIVERED, stepwise(("prepare", {"worker": "A"})))
            play(example, stepwise(("prepare", {"worker": "B"})))
            while not example.in_flight["B"].blocked_by:
                # B first does what it can alone, and then A takes the lock before it.
                locks = ("SELECT ai_job FOR UPDATE", "UPDATE ai_job")
                one = "A" if example.in_flight["B"].statement in locks and not _holds(example) else "B"
                assert go(example, one), "both came to their ends"
            if granted:
                while example.in_flight["B"].blocked_by:
                    assert go(example, "A")
            call = example.in_flight["B"].call
            is_dead(
                lane,
                example,
                "B",
                call,
                lambda example=example: play(example, ("kill_in_flight", {"by": "B"})),
            )
            finish(example, "A")
            assert outside_of(lane).locks == []
            drain(example)


def _holds(example: Example) -> bool:
    call = example.in_flight["A"].call
    return any(name in ("SELECT ai_job FOR UPDATE", "UPDATE ai_job") for name in statements(example, call))
