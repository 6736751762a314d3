"""Which faults are offered where: every operation that takes one has a row, and each can be asked for.

A fault without an offer never strikes in a search, and an offer that no place matches strikes nothing:
both would leave a required situation unmet, or a class of defects unseen, without an error.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Collection, Mapping

import pytest

from statemachine.history.reach import STRUCK
from statemachine.lifecycle import FINISHES
from statemachine.world.faults import Fault, Strike
from statemachine.world.operations import OPERATIONS, NotPossible
from statemachine.world.operations.strikes import WEIGHED, strike_named, with_faults

UNDISTURBED = {
    "receive": "kill_worker is a worker that died after its receive",
    "proceed": "it is struck at a COMMIT only, which is not a place to count",
}
"""Operations that take a fault in a script and are offered without any, and why."""


def takes_a_fault(operation: str) -> bool:
    return "fault" in inspect.signature(OPERATIONS[operation].plan).parameters


def test_every_operation_that_takes_a_fault_has_a_row_or_a_reason() -> None:
    taking = {name for name in OPERATIONS if takes_a_fault(name)}
    assert set(WEIGHED) | set(UNDISTURBED) == taking
    assert not set(WEIGHED) & set(UNDISTURBED)


@pytest.mark.parametrize("operation", WEIGHED)
def test_what_takes_a_fault_takes_its_place_too(operation: str) -> None:
    parameters = inspect.signature(OPERATIONS[operation].plan).parameters
    assert parameters["fault"].default is None
    assert parameters["at"].default == 1


def test_every_fault_is_offered_somewhere() -> None:
    offered = {strike.fault for row in WEIGHED.values() for strike, _ in row}
    assert offered == set(Fault) - {Fault.KILL_WHILE_BLOCKED}, "which is a step of its own, kill_in_flight"


def unreached(offered: Mapping[str, Collection[Strike]]) -> set[tuple[Fault, str]]:
    """Required faults that ``offered`` strikes, if at all, at later places only."""
    finishes = {str(operation): "finish" for operation in FINISHES}
    first = {(strike, finishes.get(row, row)) for row in offered for strike in offered[row] if strike.at == 1}
    required = {(Fault(fault), stage) for fault, stages in STRUCK.items() for stage in stages}
    return {(fault, stage) for fault, stage in required if (Strike(fault), stage) not in first}


def test_each_required_fault_is_offered_at_the_first_place_of_its_kind() -> None:
    """A correct system may have no second one: a sweep that reads without a transaction, say."""
    offered = {row: [strike for strike, _ in weighed] for row, weighed in WEIGHED.items()}
    assert unreached(offered) == set()
    lost = Strike(Fault.ANSWER_LOST)
    offered["recover"] = [strike for strike in offered["recover"] if strike != lost]
    assert unreached(offered) == {(Fault.ANSWER_LOST, "recover")}


@pytest.mark.parametrize("operation", WEIGHED)
def test_a_row_names_each_strike_once_with_a_weight(operation: str) -> None:
    strikes = [strike for strike, _ in WEIGHED[operation]]
    assert len(strikes) == len(set(strikes))
    assert all(weight > 0 and strike.at >= 1 for strike, weight in WEIGHED[operation])


@pytest.mark.parametrize("operation", WEIGHED)
def test_the_undisturbed_call_comes_first_and_each_offer_can_be_asked_for(operation: str) -> None:
    plain, *struck = with_faults(9, operation, {"worker": "A"}).variants()
    assert (plain.weight, plain.arguments, plain.strike) == (9, {"worker": "A"}, None)
    asked = [
        strike_named(offer.arguments["fault"], offer.arguments.get("at", 1))
        for offer in struck
        if offer.arguments["worker"] == "A"
    ]
    assert asked == [strike for strike, _ in WEIGHED[operation]]


def test_the_first_place_is_not_spelt_out() -> None:
    offers = [offer.arguments for offer in with_faults(9, "recover", {}).variants()]
    assert {"fault": "kill_after_port_call"} in offers
    assert {"fault": "kill_after_port_call", "at": 2} in offers


def test_no_fault_is_no_strike() -> None:
    assert strike_named(None) is None
    assert strike_named(None, 3) is None
    assert strike_named("answer_lost", 2) == Strike(Fault.ANSWER_LOST, 2)


@pytest.mark.parametrize(
    ("fault", "at", "words"),
    [
        ("earthquake", 1, ["no fault earthquake", *Fault]),
        ("", 1, ["no fault ", "answer_lost"]),
        ("answer_lost", 0, ["answer_lost at place 0", "counted from 1"]),
        ("answer_lost", -1, ["at place -1"]),
        ("answer_lost", 1.5, ["at place 1.5"]),
        ("answer_lost", "second", ["at place 'second'"]),
        ("answer_lost", None, ["at place None"]),
    ],
)
def test_a_strike_that_there_is_not_is_refused_by_name(fault: str, at: int, words: list[str]) -> None:
    with pytest.raises(NotPossible) as refused:
        strike_named(fault, at)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize("operation", WEIGHED)
def test_every_place_on_the_line_is_a_variant_as_often_as_it_weighs(operation: str) -> None:
    offer = with_faults(9, operation, {})
    met = Counter(offer.at(place).strike for place in range(offer.whole_weight))
    assert met == {None: 9, **dict(WEIGHED[operation])}
