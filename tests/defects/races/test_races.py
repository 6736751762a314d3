"""What only two transactions at once can show is shown on PostgreSQL, by the claim that the defect names."""

from __future__ import annotations

import pytest
from django.db import connections

from models_under_test.models import AIJob, AIResult
from statemachine.search.triage import script
from statemachine.search.triage.script import Step
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.support.postgresql import OpenTransactions
from tests.support.scripts import RACES, RACING

every_race = pytest.mark.parametrize("defect", RACES)
CHANGES_THE_SCHEMA = {"id_constraint_dropped": AIJob, "result_constraint_dropped": AIResult}


def test_every_race_has_a_history() -> None:
    assert sorted(RACING) == sorted(RACES)
    assert all(any("stepwise" in step.arguments for step in steps) for steps in RACING.values())


@every_race
def test_a_hand_written_history_shows_the_race(defect: str, open_transactions: OpenTransactions) -> None:
    steps = list(RACING[defect])
    with open_transactions(defect=defect) as lane:
        played = script.play(lane, steps)
    assert played.left_out == {}
    assert played.failure is not None
    assert played.failure.headline.invariant == RACES[defect].invariant
    assert played.failure.headline.step == len(steps)


@every_race
def test_it_has_the_same_events_each_time(defect: str, open_transactions: OpenTransactions) -> None:
    with open_transactions(defect=defect) as lane:
        first, second = (script.play(lane, list(RACING[defect])).example.events for _ in range(2))
    assert first == second


@every_race
def test_the_correct_system_survives_it(defect: str, open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        assert script.play(lane, list(RACING[defect]), drained=True).failure is None


@every_race
def test_no_step_of_the_history_can_go(defect: str, open_transactions: OpenTransactions) -> None:
    steps = list(RACING[defect])
    with open_transactions(defect=defect) as lane:
        for place in range(len(steps)):
            shorter = script.play(lane, [*steps[:place], *steps[place + 1 :]])
            assert shorter.failure is None, f"{steps[place]} is not needed"


def whole(steps: list[Step]) -> list[Step]:
    """The same operations in the same order, each of them whole."""
    return [
        step._replace(arguments={name: said for name, said in step.arguments.items() if name != "stepwise"})
        for step in steps
        if step.operation != "proceed"
    ]


@every_race
def test_whole_operations_in_that_order_do_not_show_it(
    defect: str, open_transactions: OpenTransactions, open_lane: OpenLane
) -> None:
    def failure(lane: Lane) -> object:
        return script.play(lane, whole(list(RACING[defect])), drained=True).failure

    with open_transactions(defect=defect) as lane:
        assert failure(lane) is None
    with open_lane(defect) as lane:
        assert failure(lane) is None


def uniques(table: str) -> set[str]:
    with connections["default"].cursor() as cursor:
        found = connections["default"].introspection.get_constraints(cursor, table)
    return {name for name, about in found.items() if about["unique"] and about["columns"] == ["job_id"]}


@pytest.mark.parametrize("defect", CHANGES_THE_SCHEMA)
def test_a_changed_schema_is_that_of_its_own_database(
    defect: str, open_transactions: OpenTransactions, open_lane: OpenLane
) -> None:
    table = CHANGES_THE_SCHEMA[defect]._meta.db_table
    with open_transactions(defect=defect):
        assert uniques(table) == set()
    with open_transactions():
        assert len(uniques(table)) == 1
    with open_lane(defect):
        assert len(uniques(table)) == 1
