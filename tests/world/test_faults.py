"""Where a planned fault strikes: at the n-th place of its kind that a call passes, there only, and once.

Every kill and every lost answer of a run goes through this small counter.  One that struck a place too
early, or twice, would make histories that no real crash can make.
"""

from __future__ import annotations

import pytest

from statemachine.lifecycle import Operation
from statemachine.world.faults import (
    DATABASE_ERRORS,
    PLACES,
    CallFaults,
    Fault,
    FaultPlace,
    PortUnavailable,
    Strike,
    WorkerKilled,
    stage_of,
)


class DatabaseGone(Exception):
    pass


class Passed:
    """One call and what it met; ``told`` are the faults that were announced before they struck."""

    def __init__(self, strike: Strike | None, stage: str = "prepare") -> None:
        self.told: list[Fault] = []
        self.faults = CallFaults(self.told.append, DatabaseGone)
        self.faults.arm(strike, stage)

    def by(self, place: FaultPlace, port: str | None = None) -> str:
        """What the call meets at ``place``: ``nothing``, or the name of what is raised."""
        try:
            self.faults.pass_by(place, port)
        except (WorkerKilled, DatabaseGone, PortUnavailable) as met:
            return type(met).__name__
        return "nothing"


KILLS = sorted(set(PLACES) - DATABASE_ERRORS - {Fault.ERROR_IN_PORT_CALL})
MET = {
    **dict.fromkeys(KILLS, "WorkerKilled"),
    **dict.fromkeys(DATABASE_ERRORS, "DatabaseGone"),
    Fault.ERROR_IN_PORT_CALL: "PortUnavailable",
}
"""What a caller meets that is struck."""


@pytest.mark.parametrize("fault", PLACES)
def test_a_fault_strikes_at_places_of_its_own_kind_only(fault: Fault) -> None:
    passed = Passed(Strike(fault))
    others = [place for place in FaultPlace if place is not PLACES[fault]]
    assert [passed.by(place) for place in others] == ["nothing"] * len(others)
    assert passed.told == []
    assert passed.by(PLACES[fault]) == MET[fault]
    assert passed.told == [fault]


@pytest.mark.parametrize("fault", PLACES)
def test_the_third_place_is_the_third_of_its_kind(fault: Fault) -> None:
    passed = Passed(Strike(fault, 3))
    elsewhere = next(place for place in FaultPlace if place is not PLACES[fault])
    met = [passed.by(place) for place in (PLACES[fault], elsewhere, PLACES[fault], elsewhere, PLACES[fault])]
    assert met[:4] == ["nothing"] * 4
    assert met[4] != "nothing"
    assert passed.told == [fault]


@pytest.mark.parametrize("fault", PLACES)
def test_a_place_that_is_never_reached_strikes_nothing(fault: Fault) -> None:
    passed = Passed(Strike(fault, 3))
    assert [passed.by(PLACES[fault]) for _ in range(2)] == ["nothing"] * 2
    assert (passed.told, passed.faults.dead, passed.faults.boundary) == ([], False, "")


def test_the_count_begins_anew_with_each_call() -> None:
    passed = Passed(Strike(Fault.KILL_AFTER_COMMIT, 2))
    assert passed.by(FaultPlace.AFTER_COMMIT) == "nothing"
    passed.faults.arm(Strike(Fault.KILL_AFTER_COMMIT, 2), "finish")
    assert [passed.by(FaultPlace.AFTER_COMMIT) for _ in range(2)] == ["nothing", "WorkerKilled"]
    assert passed.faults.boundary == "after_finish_commit"


@pytest.mark.parametrize("fault", KILLS)
def test_a_dead_process_passes_nothing_until_the_next_call(fault: Fault) -> None:
    passed = Passed(Strike(fault))
    passed.by(PLACES[fault])
    assert passed.faults.dead
    assert [passed.by(place) for place in FaultPlace] == ["WorkerKilled"] * len(FaultPlace)
    assert passed.told == [fault], "it dies once"
    passed.faults.arm(None, "finish")
    assert (passed.faults.dead, passed.faults.boundary) == (False, "")
    assert [passed.by(place) for place in FaultPlace] == ["nothing"] * len(FaultPlace)


@pytest.mark.parametrize("fault", sorted(set(PLACES) - set(KILLS)))
def test_an_error_strikes_once_and_kills_nobody(fault: Fault) -> None:
    passed = Passed(Strike(fault))
    assert [passed.by(PLACES[fault]) for _ in range(2)] == [MET[fault], "nothing"]
    assert (passed.faults.dead, passed.faults.boundary) == (False, "")


BOUNDARIES = {
    Fault.KILL_BEFORE_COMMIT: "before_prepare_commit",
    Fault.KILL_AFTER_COMMIT: "after_prepare_commit",
    Fault.KILL_BEFORE_STATEMENT: "before_prepare_statement",
    Fault.KILL_BEFORE_PORT_CALL: "before_change_visibility",
    Fault.KILL_AFTER_PORT_CALL: "after_change_visibility",
    Fault.KILL_WHILE_BLOCKED: "during_prepare_lock_wait",
}


def test_every_kill_has_a_boundary() -> None:
    assert set(BOUNDARIES) == set(KILLS)


@pytest.mark.parametrize("fault", KILLS)
def test_a_boundary_names_the_stage_or_the_port(fault: Fault) -> None:
    passed = Passed(Strike(fault), "prepare")
    in_port = fault in (Fault.KILL_BEFORE_PORT_CALL, Fault.KILL_AFTER_PORT_CALL)
    passed.by(PLACES[fault], "change_visibility" if in_port else None)
    assert passed.faults.boundary == BOUNDARIES[fault]


@pytest.mark.parametrize("fault", sorted(set(Fault) - set(PLACES)))
def test_the_queues_own_faults_strike_no_place(fault: Fault) -> None:
    passed = Passed(Strike(fault))
    assert [passed.by(place) for place in FaultPlace] == ["nothing"] * len(FaultPlace)
    assert [planned for planned in Fault if passed.faults.planned(planned)] == [fault]
    assert not Passed(None).faults.planned(fault)


def test_all_finishes_are_one_stage() -> None:
    finishes = [operation for operation in Operation if stage_of(operation) == "finish"]
    assert finishes == [Operation.COMPLETE, Operation.FAIL, Operation.RELEASE, Operation.CLOSE]
    assert stage_of(Operation.PREPARE) == "prepare"
