"""Operations in flight are resumed for one statement, or killed where they stand.

Only the transactions lane has operations in flight; in the embedded lane they run whole.
"""

from __future__ import annotations

from statemachine.world.example import COMMIT, Example, InFlight
from statemachine.world.faults import Fault, Strike
from statemachine.world.operations.named import (
    NotPossible,
    Offer,
    Offers,
    Play,
    Strikes,
    Unplayable,
    operation,
)
from statemachine.world.operations.strikes import strike_named

_AT_COMMIT = Strikes((Strike(Fault.KILL_AFTER_COMMIT), Strike(Fault.ANSWER_LOST)), (2, 3))


def _proceed_offers(example: Example) -> Offers:
    for flying in example.in_flight.values():
        if not flying.blocked_by:
            strikes = _AT_COMMIT if flying.statement == COMMIT else Strikes()
            yield Offer(24, "proceed", {"by": flying.by, "statement": flying.statement}, strikes)


@operation(_proceed_offers)
def proceed(example: Example, by: str, statement: str, fault: str | None = None) -> Play:
    """An operation in flight executes its next statement, or goes on after a wait for a lock.

    ``fault`` strikes right after a COMMIT, before the caller has its answer.
    """
    strike = strike_named(fault)
    if strike is not None and (strike not in _AT_COMMIT.each or statement != COMMIT):
        known = ", ".join(one.fault for one in _AT_COMMIT.each)
        raise Unplayable(f"{fault} at {statement}: what can strike here is {known}, at {COMMIT}")
    flying = _in_flight(example, by)
    if flying.blocked_by:
        raise NotPossible(f"{by} waits for a lock that {flying.blocked_by} holds")
    if flying.statement != statement:
        raise NotPossible(f"what {by} does next is {flying.statement}, not {statement}")
    return lambda: example.lane.proceed(by, strike)


def _kill_offers(example: Example) -> Offers:
    for flying in example.in_flight.values():
        # A wait for a lock is soon over: without more weight hardly any worker would die in one.
        yield Offer(4 if flying.blocked_by else 1, "kill_in_flight", {"by": flying.by})


@operation(_kill_offers)
def kill_in_flight(example: Example, by: str) -> Play:
    """The maker of an operation dies in its middle: before a statement or COMMIT, or waiting for a lock."""
    _in_flight(example, by)
    return lambda: example.lane.kill_in_flight(by)


def _in_flight(example: Example, by: str) -> InFlight:
    if by not in example.in_flight:
        raise NotPossible(f"{by} has no operation in flight")
    return example.in_flight[by]
