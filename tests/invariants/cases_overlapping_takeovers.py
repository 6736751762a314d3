"""Several calls at the edge of one lease: who may be refused, and which commits make a second holder."""

from __future__ import annotations

from statemachine.history.events import Event
from statemachine.invariants.leases import an_expired_lease_can_be_taken_over, one_holder_at_a_time
from tests.support.events import (
    LEASE,
    NO,
    YES,
    Case,
    created,
    done,
    exactly,
    invoked,
    killed,
    observed,
    prepared,
    returned,
    running,
    step,
    violation,
)

GIVEN_TO_A = [*created(), *prepared(2)]
GIVEN_TO_B = [*GIVEN_TO_A, *prepared(3, "B", LEASE, attempt=2)]


def asked_at_the_edge(*rest: Event) -> list[Event]:
    """A's lease has ended, and both B and C ask for the job before either of them has written anything."""
    asked = [invoked(3, "prepare", "B", LEASE), invoked(4, "prepare", "C", LEASE)]
    return [*GIVEN_TO_A, step(3, at=LEASE), *asked, *rest]


B_WINS = [observed(3, running(2, 2 * LEASE), at=LEASE), returned(3, YES, LEASE, 2)]
B_DIES = killed(3, LEASE)
C_IS_REFUSED = returned(4, NO, LEASE)


def late_completion_while_c_asks(*rest: Event) -> list[Event]:
    """B's lease has ended as well, and B completes while C asks for the job."""
    at = 2 * LEASE
    asked = [invoked(4, "prepare", "C", at), invoked(5, "complete", "B", at, attempt=2)]
    return [*GIVEN_TO_B, step(4, at=at), *asked, *rest]


B_COMPLETES = [observed(5, done(2), at=2 * LEASE), returned(5, at=2 * LEASE)]
C_IS_REFUSED_LATER = returned(4, NO, 2 * LEASE)


def written_twice(second: int) -> list[Event]:
    """A prepare commits, and call ``second``, itself or worker B's, writes the holder once more."""
    again = running()._replace(locked_by="w2")
    asked = [invoked(2, "prepare"), invoked(3, "prepare", "B")]
    return [*created(), step(2), *asked, observed(2, running()), observed(second, again)]


def both_told(b_hears: Event) -> list[Event]:
    """A and B have read the same PENDING row, and both write the lease of attempt 1: the second write is no
    change.
    """
    asked = [invoked(2, "prepare"), invoked(3, "prepare", "B")]
    return [*created(), step(2), *asked, observed(2, running()), returned(2, attempt=1), b_hears]


CASES = (
    Case(
        "two are told of one lease, and only the first has written it",
        one_holder_at_a_time,
        breaks=both_told(returned(3, YES, attempt=1)),
        expected=violation(
            one_holder_at_a_time,
            2,
            0,
            "worker B was given j1 while worker A held a live lease.",
            ("prepare(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "nothing written"),
        ),
        near_miss=both_told(returned(3, NO)),
    ),
    *(
        Case(
            f"refused at 3540 {instead_of}",
            an_expired_lease_can_be_taken_over,
            breaks=asked_at_the_edge(*breaks),
            expected=violation(
                an_expired_lease_can_be_taken_over,
                3,
                LEASE,
                "worker C was not given j1, whose lease expired at 3540.",
                ("prepare(j1) at 3540", "accepted (takeover)", "refused"),
            ),
            near_miss=asked_at_the_edge(*B_WINS, C_IS_REFUSED),
            judged=exactly(1),
        )
        for instead_of, breaks in (
            ("and nobody else takes the job", [B_DIES, C_IS_REFUSED]),
            ("before another takes the job, instead of after", [C_IS_REFUSED, *B_WINS]),
        )
    ),
    Case(
        "refused before the late completion, instead of after",
        an_expired_lease_can_be_taken_over,
        breaks=late_completion_while_c_asks(C_IS_REFUSED_LATER, *B_COMPLETES),
        expected=violation(
            an_expired_lease_can_be_taken_over,
            4,
            2 * LEASE,
            "worker C was not given j1, whose lease expired at 7080.",
            ("prepare(j1) at 7080", "accepted (takeover)", "refused"),
        ),
        near_miss=late_completion_while_c_asks(*B_COMPLETES, C_IS_REFUSED_LATER),
        judged=exactly(1),
    ),
    Case(
        "the same call may commit twice",
        one_holder_at_a_time,
        breaks=written_twice(second=3),
        expected=violation(
            one_holder_at_a_time,
            2,
            0,
            "worker B acquired j1 while worker A held a live lease.",
            ("prepare(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "taken at 0"),
        ),
        near_miss=written_twice(second=2),
        judged=exactly(2),
    ),
)
