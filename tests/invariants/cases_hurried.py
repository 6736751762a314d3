"""A message brought back before its time: by the holder, after a release, after a prepare that broke."""

from __future__ import annotations

from statemachine.history.events import Event
from statemachine.invariants.messages import messages_are_not_hurried
from tests.support.events import (
    LEASE,
    Case,
    call,
    clock,
    created,
    delivered,
    done,
    exactly,
    finished,
    made_visible,
    prepared,
    retrying,
    sent,
    step,
    violation,
)

SENT_TO_A = [*created(), sent(), delivered()]
GIVEN_TO_A = [*SENT_TO_A, *prepared(2)]
BROKEN_FOR_A = [*SENT_TO_A, *call(2, "prepare", answer="OperationalError: gone")]
RELEASED_BY_A = [*GIVEN_TO_A, *finished(3, "release", retrying(), at=10)]


def hurried(
    name: str,
    before: list[Event],
    second: float,
    due: float,
    status: str,
    near_miss: list[Event],
    judged: int,
) -> Case:
    return Case(
        name,
        messages_are_not_hurried,
        breaks=[*before, step(9), made_visible(second, at=10)],
        expected=violation(
            messages_are_not_hurried,
            9,
            10,
            f"worker A brought the message of j1 back {due - second} s early while j1 is {status}.",
            ("message m1 visible", f"from {due} on", f"{second}"),
        ),
        near_miss=near_miss,
        judged=exactly(judged),
    )


def then(before: list[Event], second: float, at: float = 10, effective: bool = True) -> list[Event]:
    return [*before, step(9), made_visible(second, at=at, effective=effective)]


CASES = (
    hurried(
        "by its holder, to before its lease ends",
        GIVEN_TO_A,
        70,
        LEASE,
        "RUNNING",
        then(GIVEN_TO_A, LEASE),
        2,
    ),
    hurried(
        "by its holder, by one second", GIVEN_TO_A, LEASE - 1, LEASE, "RUNNING", then(GIVEN_TO_A, 3610), 2
    ),
    hurried("after a release, at once", RELEASED_BY_A, 10, 3600, "RETRYING", then(RELEASED_BY_A, 3600), 3),
    hurried(
        "after a release, to when the lease would have ended",
        RELEASED_BY_A,
        LEASE,
        3600,
        "RETRYING",
        then(RELEASED_BY_A, 10, effective=False),
        2,
    ),
    hurried(
        "after a prepare that broke",
        BROKEN_FOR_A,
        10,
        3600,
        "PENDING",
        then(BROKEN_FOR_A, 3600),
        1,
    ),
    hurried(
        "visible at once is legal when the lease has ended",
        GIVEN_TO_A,
        10,
        LEASE,
        "RUNNING",
        then([*GIVEN_TO_A, clock(LEASE)], LEASE, at=LEASE),
        2,
    ),
    hurried(
        "visible at once is legal when the job has ended",
        GIVEN_TO_A,
        10,
        LEASE,
        "RUNNING",
        then([*GIVEN_TO_A, *finished(3, "complete", done())], 10),
        1,
    ),
)
