"""Of the operations that were stopped between their statements a minimal history stops those that it must."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from statemachine.search.contention import TransactionsMachine
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, sized
from statemachine.search.run import Run
from statemachine.search.triage import script
from statemachine.search.triage.minimise import minimise
from statemachine.search.triage.rewriting import by_the_publisher, whole
from statemachine.search.triage.script import steps_of
from statemachine.world.lane import Lane
from tests.support.postgresql import OpenTransactions
from tests.support.scripts import RACING
from tests.support.scripts import script as numbered

Written = tuple[str, dict[str, Any]]


def goes_on(by: str, statement: str) -> Written:
    return "proceed", {"by": by, "statement": statement}


ASKS: Written = ("mark_running", {"job": "j1"})
A_STOPS: Written = ("prepare", {"worker": "A", "stepwise": True})
BEGIN: tuple[Written, ...] = (("create", {"job": "j1", "tenant": "t1"}), ("publish", {"job": "j1"}))
A_RECEIVES: Written = ("receive", {"worker": "A", "message": "m2"})

BLOATED = numbered(
    *BEGIN,
    ("stray", {"operation": "fail", "job": "j1", "attempt": "foreign", "stepwise": True}),
    goes_on("stray", "SELECT ai_job FOR UPDATE"),
    ("mark_running", {"job": "j1", "stepwise": True}),
    goes_on("stray 2", "SELECT ai_job"),
    goes_on("stray", "COMMIT"),
    A_RECEIVES,
    A_STOPS,
    goes_on("stray 2", "UPDATE ai_job"),
    goes_on("stray 2", "SELECT ai_job"),
    goes_on("A", "SELECT ai_job"),
    goes_on("A", "UPDATE ai_job"),
    goes_on("stray 2", "COMMIT"),
    goes_on("A", "resumes"),
    goes_on("A", "SELECT ai_job"),
    goes_on("A", "COMMIT"),
)
MINIMAL = numbered(
    *BEGIN,
    A_RECEIVES,
    A_STOPS,
    goes_on("A", "SELECT ai_job"),
    ASKS,
    goes_on("A", "UPDATE ai_job"),
    goes_on("A", "SELECT ai_job"),
    goes_on("A", "COMMIT"),
)


@pytest.fixture(scope="module")
def lane(open_transactions: OpenTransactions) -> Iterator[Lane]:
    with open_transactions(defect="attempt_counted_in_sql") as lane:
        yield lane


def test_one_operation_is_stopped_and_the_other_one_is_whole(lane: Lane) -> None:
    played = script.play(lane, BLOATED)
    assert played.left_out == {}
    assert played.failure is not None
    minimal = minimise(lane, played.failure)
    assert minimal.headline.invariant == played.failure.headline.invariant
    assert steps_of(minimal) == MINIMAL


def test_what_is_minimal_stays_as_it_is(lane: Lane) -> None:
    played = script.play(lane, MINIMAL)
    assert played.failure is not None
    assert minimise(lane, played.failure) == played.failure


def test_an_operation_is_played_whole_where_it_was_resumed_last_or_before() -> None:
    steps = numbered(
        ("prepare", {"worker": "A", "stepwise": True}), goes_on("A", "x"), ASKS, goes_on("A", "COMMIT")
    )
    scripts = [[step.key for step in one] for one in whole(steps)]
    assert scripts == [[3, 1], [1, 3], [1, 3]]
    assert all("stepwise" not in step.arguments for one in whole(steps) for step in one)


def test_an_operation_that_waited_for_a_lock_is_played_whole_before_it_was_taken() -> None:
    steps = numbered(A_STOPS, goes_on("A", "x"), ASKS, goes_on("A", "COMMIT"), goes_on("stray", "resumes"))
    assert [3, 1, 2, 4] not in [[step.key for step in one] for one in whole(steps)]
    assert [1, 3, 2, 4] in [[step.key for step in one] for one in whole(steps)]


def test_two_operations_of_one_maker_are_distinguished_by_their_names() -> None:
    slow: Written = (ASKS[0], {**ASKS[1], "stepwise": True})
    steps = numbered(slow, slow, goes_on("stray 2", "x"), goes_on("stray", "x"), goes_on("stray 2", "COMMIT"))
    kept = [[step.key for step in one] for one in whole(steps)]
    assert [2, 4, 1] in kept, "the first one, taken for the second, whose steps it may have"
    assert [1, 4, 2] in kept, "the second one, whole where it committed"


def test_an_operation_that_waited_for_a_lock_may_be_whole_up_to_there_only() -> None:
    steps = numbered(A_STOPS, goes_on("A", "x"), ASKS, goes_on("A", "resumes"), goes_on("A", "COMMIT"))
    kept = [[(step.key, step.arguments) for step in one] for one in whole(steps)]
    plain = {"worker": "A"}
    waits = [(number, dict(steps[number - 1].arguments)) for number in (3, 4, 5)]
    assert [(1, plain), *waits] in kept


def test_a_stray_call_goes_on_though_another_one_has_begun() -> None:
    slow: Written = (ASKS[0], {**ASKS[1], "stepwise": True})
    steps = numbered(slow, slow, goes_on("stray", "x"), goes_on("stray 2", "x"), goes_on("stray", "COMMIT"))
    assert [2, 4, 1] in [[step.key for step in one] for one in whole(steps)]


SWEPT = numbered(
    BEGIN[0],
    ("advance_to", {"deadline": "recovery", "of": "j1"}),
    ("recover", {"stepwise": True}),
    goes_on("sweep", "SELECT ai_job"),
    goes_on("sweep", "UPDATE ai_job"),
    ("receive", {"worker": "A", "message": "m4"}),
    goes_on("sweep", "COMMIT"),
)


def test_a_sweep_that_is_played_whole_sends_the_message_that_was_received() -> None:
    kept = [[(step.key, step.operation) for step in one] for one in whole(SWEPT)]
    assert [(1, "create"), (2, "advance_to"), (4, "recover"), (6, "receive")] in kept


def test_what_a_sweep_sent_the_publisher_may_have_sent() -> None:
    (script,) = by_the_publisher(SWEPT, "j1")
    assert [step.key for step in script] == [1, 2, 4, 5, 6, 7]
    assert (script[2].operation, script[2].arguments) == ("publish", {"job": "j1", "stepwise": True})
    assert [step.arguments["by"] for step in script if "by" in step.arguments] == ["publisher", "publisher"]


def test_a_sweep_whose_message_nobody_has_is_left_to_itself() -> None:
    assert list(by_the_publisher(SWEPT[:5], "j1")) == []


def test_nobody_need_hold_a_lock_for_whom_a_stop_will_do(open_transactions: OpenTransactions) -> None:
    steps = numbered(
        *BEGIN,
        ("stray", {"operation": "fail", "job": "j1", "attempt": "current", "stepwise": True}),
        A_RECEIVES,
        goes_on("stray", "SELECT ai_job FOR UPDATE"),
        ("prepare", {"worker": "A"}),
        goes_on("stray", "COMMIT"),
        goes_on("A", "resumes"),
        ASKS,
        goes_on("A", "COMMIT"),
        goes_on("stray", "resumes"),
        goes_on("stray", "COMMIT"),
    )
    with open_transactions(defect="acquired_without_lock") as lane:
        played = script.play(lane, steps)
        assert played.failure is not None
        assert len(steps_of(minimise(lane, played.failure))) < len(RACING["acquired_without_lock"])


def test_what_is_not_stopped_is_left_alone() -> None:
    assert list(whole(MINIMAL[:3])) == []


def test_the_search_finds_a_race_and_minimises_it(lane: Lane) -> None:
    run = Run(lane)
    play(SearchControl(run), 0, TransactionsMachine, sized(200, steps=60))
    assert run.failure is not None
    minimal = minimise(lane, run.failure)
    assert minimal.headline.invariant == run.failure.headline.invariant
    assert len(steps_of(minimal)) <= len(RACING["attempt_counted_in_sql"]) + 2
