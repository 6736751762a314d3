"""Operations in flight, of literal histories: who they are, how far they have come, and how they end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event, StepBegan
from statemachine.history.in_flight import Flights, flights_of
from statemachine.report.text.phrases import turn_of
from tests.support.events import NO, call, committed, created, invoked, killed, returned, struck

SELECT, LOCKED, UPDATE = "SELECT ai_job", "SELECT ai_job FOR UPDATE", "UPDATE ai_job"


def begins(number: int, by: str = "A", operation: str = "prepare") -> list[Event]:
    return [StepBegan(0, number, operation, {"stepwise": True}), invoked(number, operation, by)]


def goes_on(number: int, by: str, statement: str, *events: Event, call: int = 1) -> list[Event]:
    step = StepBegan(0, number, "proceed", {"by": by, "statement": statement})
    began = [] if statement == "resumes" else [history.StatementBegan(0, call, statement)]
    return [step, *began, *events]


def dies(number: int, by: str = "A", fault: str = "kill_before_statement", call: int = 1) -> list[Event]:
    step = StepBegan(0, number, "kill_in_flight", {"by": by})
    return [step, struck(call, fault=fault), killed(call), history.Killed(0, by, "before_prepare_statement")]


B_WAITS = [
    *begins(1),
    *goes_on(2, "A", LOCKED),
    *call(3, "prepare", "B")[:2],
    history.StatementBegan(0, 3, LOCKED),
    history.LockWaited(0, 3, 1),
]
A_COMMITS = goes_on(4, "A", "COMMIT", committed(1), returned(1, attempt=1), history.LockGranted(0, 3))


def followed(*parts: Sequence[Event]) -> Flights:
    flights = Flights()
    for event in chain(*parts):
        flights.apply(event)
    return flights


STANDING = {
    "begun": (begins(1), "in prepare"),
    "a plain read": ([*begins(1), *goes_on(2, "A", SELECT)], "in prepare"),
    "a lock": ([*begins(1), *goes_on(2, "A", LOCKED)], "in transaction"),
    "a write": ([*begins(1), *goes_on(2, "A", UPDATE)], "in transaction"),
    "a lock for less": ([*begins(1), *goes_on(2, "A", f"{SELECT} FOR NO KEY UPDATE")], "in transaction"),
    "a read after a write": (
        [*begins(1), *goes_on(2, "A", UPDATE), *goes_on(3, "A", SELECT)],
        "in transaction",
    ),
    "committed": ([*begins(1), *goes_on(2, "A", UPDATE), *goes_on(3, "A", "COMMIT")], "in prepare"),
    "rolled back": ([*begins(1), *goes_on(2, "A", UPDATE), *goes_on(3, "A", "ROLLBACK")], "in prepare"),
    "a write by autocommit": ([*begins(1), *goes_on(2, "A", UPDATE, committed(1))], "in prepare"),
}


@pytest.mark.parametrize(("events", "expected"), STANDING.values(), ids=STANDING)
def test_it_stands_where_its_last_statement_left_it(events: Sequence[Event], expected: str) -> None:
    assert followed(events).open["A"].standing == expected


def test_a_wait_is_seen_until_it_is_over_and_then_until_it_goes_on() -> None:
    assert followed(B_WAITS).open["B"].standing == "waits for A"
    assert followed(B_WAITS, A_COMMITS).open["B"].standing == "wait over"
    went_on = followed(B_WAITS, A_COMMITS, goes_on(5, "B", "resumes", call=3))
    assert went_on.open["B"].standing == "in transaction"
    assert went_on.going_on is went_on.open["B"]


def test_a_second_of_one_name_has_a_number_until_the_first_ends() -> None:
    first, second = begins(1, "stray", "complete"), begins(2, "stray", "fail")
    assert list(followed(first, second).open) == ["stray", "stray 2"]
    after = followed(
        first, second, goes_on(3, "stray", "COMMIT", returned(1, NO)), begins(4, "stray", "fail")
    )
    assert {by: flight.invoked.call for by, flight in after.open.items()} == {"stray 2": 2, "stray": 4}


def test_where_operations_run_whole_none_overlaps() -> None:
    events = [*created(), *call(2, "prepare", answer=NO), *call(3, "prepare", answer=None)]
    assert flights_of(events) == []
    assert len(followed(events).seen) == 3


def test_it_knows_the_steps_the_commits_and_the_end() -> None:
    (flight, _) = flights_of([*B_WAITS, *A_COMMITS])
    assert (flight.began, flight.steps, flight.commits, flight.ended) == (1, [2, 4], [4], 4)


DEATHS = {
    "before its first statement": [*begins(1), *dies(2)],
    f"after {LOCKED}": [*begins(1), *goes_on(2, "A", LOCKED), *dies(3)],
    "before COMMIT": [*begins(1), *goes_on(2, "A", UPDATE), *dies(3, fault="kill_before_commit")],
    "waiting for a lock": [*B_WAITS, *dies(4, "B", "kill_while_blocked", 3)],
    "as its wait was over": [*B_WAITS, *A_COMMITS, *dies(5, "B", "kill_while_blocked", 3)],
}


@pytest.mark.parametrize(("place", "events"), DEATHS.items(), ids=DEATHS)
def test_a_death_is_named_by_its_place(place: str, events: Sequence[Event]) -> None:
    assert said(events) == f"KILLED {place}"


TURNS = {
    LOCKED: goes_on(2, "A", LOCKED),
    f"{UPDATE} (blocked by B)": goes_on(2, "A", UPDATE, history.LockWaited(0, 1, 9)),
    f"{UPDATE} (blocked by B) fails: deadlock": goes_on(
        2, "A", UPDATE, history.LockWaited(0, 1, 9), struck(1, fault="deadlock")
    ),
    "COMMIT fails: serialization failure": goes_on(
        2, "A", "COMMIT", struck(1, fault="serialization_failure")
    ),
    "COMMIT fails": goes_on(2, "A", "COMMIT", struck(1)),
    "COMMIT, KILLED after commit": goes_on(2, "A", "COMMIT", struck(1, fault="kill_after_commit")),
    f"KILLED before {UPDATE}": [
        StepBegan(0, 2, "proceed", {"by": "A", "statement": UPDATE}),
        struck(1, fault="kill_before_statement"),
    ],
    f"{UPDATE} (delete lost)": goes_on(2, "A", UPDATE, struck(1, fault="delete_lost")),
    "resumes": goes_on(2, "A", "resumes"),
}


@pytest.mark.parametrize(("expected", "events"), TURNS.items(), ids=TURNS)
def test_a_turn_is_described_in_the_words_of_a_dba(expected: str, events: Sequence[Event]) -> None:
    assert said([*begins(9, "B"), *begins(1), *events]) == expected


def said(events: Sequence[Event]) -> str:
    """What the last step of a history says of the operation that it lets go on."""
    flights, turn = Flights(), None
    for event in events:
        flights.apply(event)
        if isinstance(event, StepBegan):
            turn = turn_of(event, flights)
        elif turn is not None:
            turn.take(event, flights)
    assert turn is not None
    return turn.text()
