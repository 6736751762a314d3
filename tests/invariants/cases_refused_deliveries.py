"""A message that was refused because the lease is live: when its visibility may end, and who is not meant."""

from __future__ import annotations

from dataclasses import replace

from statemachine.history.events import Event
from statemachine.invariants.messages import a_refused_delivery_waits
from tests.support.events import (
    LEASE,
    NO,
    Case,
    Outcome,
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
    running,
    sent,
    step,
    violation,
)

SENT_TO_A = [*created(), sent(), delivered()]
GIVEN_TO_A = [*SENT_TO_A, *prepared(2)]
REFUSED_TO_B = [*GIVEN_TO_A, delivered(to="B", at=10), *call(3, "prepare", "B", 10, answer=NO)]

REFUSED_AS_FOREIGN = [
    *GIVEN_TO_A,
    sent("m2", tenant="t2"),
    delivered("m2", to="B", at=10),
    *call(3, "prepare", "B", 10, tenant="t2", answer=NO),
    made_visible(10, "m2", by="B", at=10),
]
REFUSED_AS_ENDED = [
    *GIVEN_TO_A,
    *finished(3, "complete", done()),
    delivered(to="B", at=10),
    *call(4, "prepare", "B", 10, answer=NO),
    made_visible(10, by="B", at=10),
]


def then_visible_from(second: float, by: str = "B", effective: bool = True) -> list[Event]:
    """Worker B was refused a duplicate of A's message at 10 s, and now its visibility is changed."""
    return [*REFUSED_TO_B, step(4), made_visible(second, by=by, at=10, effective=effective)]


def asked_by_c(answer: Outcome, *then: Event) -> list[Event]:
    """Worker C has a delivery of the message too, and asks for the job."""
    return [*REFUSED_TO_B, delivered(to="C", at=10), *call(4, "prepare", "C", 10, answer=answer), *then]


def visible_too_soon(name: str, second: int, near_miss: list[Event], judged: int) -> Case:
    expected = violation(
        a_refused_delivery_waits,
        4,
        10,
        f"worker B was refused j1 and made its message visible again {LEASE - second} s before "
        "the holder's lease ends.",
        ("message m1 visible", "from 3540 on", str(second)),
    )
    breaks = then_visible_from(second)
    return Case(name, a_refused_delivery_waits, breaks, expected, near_miss, judged=exactly(judged))


def asking(*then: Event, answer: Outcome = NO) -> list[Event]:
    """Worker B changes the visibility of its message inside its own prepare, before that is answered."""
    asked, *answered = call(3, "prepare", "B", 10, answer=answer)[1:]
    return [*GIVEN_TO_A, delivered(to="B", at=10), step(3), asked, *then, *answered]


CASES = (
    visible_too_soon("a second before the lease ends", 3539, then_visible_from(3540), 2),
    replace(
        visible_too_soon(
            "inside of the prepare that is refused", 10, asking(made_visible(3540, by="B", at=10)), 2
        ),
        breaks=asking(made_visible(10, by="B", at=10)),
        expected=replace(
            visible_too_soon("", 10, [], 0).expected,
            step=3,
        ),
    ),
    # From here on the refusal of B is all that is judged, or nothing at all.
    *(
        visible_too_soon(f"visible at once is legal {when}", 10, near_miss, times)
        for when, near_miss, times in (
            (
                "when the holder has released",
                [
                    *REFUSED_TO_B,
                    *finished(4, "release", retrying(), at=10),
                    made_visible(10, by="B", at=10),
                ],
                1,
            ),
            (
                "when the lease has ended",
                [*REFUSED_TO_B, clock(LEASE), made_visible(LEASE, by="B", at=LEASE)],
                1,
            ),
            ("for another tenant's message", REFUSED_AS_FOREIGN, 0),
            ("for the message of an ended job", REFUSED_AS_ENDED, 0),
            (
                "for another message of the job",
                [sent("m2"), *REFUSED_TO_B, made_visible(10, "m2", by="B", at=10)],
                1,
            ),
            (
                "for a message that was sent before the log began",
                [*REFUSED_TO_B, delivered("m9", to="B"), made_visible(10, "m9", by="B", at=10)],
                1,
            ),
            ("for a stale receipt", then_visible_from(10, effective=False), 1),
            ("for the holder itself", then_visible_from(10, by="A"), 1),
            ("for one without a delivery", then_visible_from(10, by="publisher"), 1),
            (
                "for one that has not asked yet",
                [*REFUSED_TO_B, delivered(to="C", at=10), made_visible(10, by="C", at=10)],
                1,
            ),
            ("when the refusal was never heard", asked_by_c(None, made_visible(10, by="C", at=10)), 1),
            (
                "when an error was heard",
                asked_by_c("OperationalError: gone away", made_visible(10, by="C", at=10)),
                1,
            ),
            (
                "when the grant was never heard",
                [*SENT_TO_A, *call(2, "prepare", leaves=[running()], answer=None), made_visible(10, at=10)],
                0,
            ),
        )
    ),
)
