"""Calls that overlap other calls: the state that a call met is then not the one in which it was invoked."""

from __future__ import annotations

from statemachine.history.events import Event
from statemachine.invariants.table import operations_answer_by_the_table as answers
from statemachine.invariants.table import operations_write_by_the_table as writes
from statemachine.lifecycle import Answer, JobRow, Lifecycle
from tests.support.events import (
    LEASE,
    NO,
    YES,
    Case,
    call,
    clock,
    committed,
    created,
    exactly,
    finished,
    invoked,
    observed,
    prepared,
    retrying,
    returned,
    running,
    step,
    violation,
)

STRICT = Lifecycle(late_completion=Answer.REFUSED)
GIVEN_TO_A = [*created(), *prepared(2)]
RELEASED = finished(3, "release", retrying())


def both_ask(*rest: Event) -> list[Event]:
    """A and B both ask for a PENDING job before either of them has written anything."""
    return [*created(), step(2), invoked(2, "prepare", "A"), invoked(3, "prepare", "B"), *rest]


A_TAKES_IT = observed(2, running())
A_RELEASES_IT = [returned(2, attempt=1), invoked(4, "release", attempt=1), observed(4, retrying())]
B_TAKES_IT_TOO = [observed(3, running(2)), returned(3, YES, attempt=2)]
B_IS_REFUSED = returned(3, NO)


def refused_as_late(*end: Event) -> list[Event]:
    """A completion that is invoked a second before its lease ends."""
    return [*created(), *prepared(2), step(3), invoked(3, "complete", at=LEASE - 1, attempt=1), *end]


def completion_waits(*rest: Event) -> list[Event]:
    """A completes at the very end of its lease, and B asks for the job meanwhile."""
    asked = [invoked(3, "complete", at=LEASE, attempt=1), invoked(4, "prepare", "B", LEASE)]
    return [*GIVEN_TO_A, step(3, at=LEASE), *asked, *rest]


B_TAKES_OVER = [observed(4, running(2, 2 * LEASE), at=LEASE), returned(4, YES, LEASE, 2)]
A_IS_REFUSED = returned(3, NO, LEASE)


def released_again_while_b_asks(*rest: Event) -> list[Event]:
    """A's first answer was lost, so it releases once more; B asks for the job that is RETRYING."""
    asked = [invoked(4, "release", attempt=1), invoked(5, "prepare", "B")]
    return [*GIVEN_TO_A, *RELEASED, step(4), *asked, *rest]


def asked_at_10_committed(at: float, row: JobRow) -> list[Event]:
    """B asks for A's job at 10 s and its transaction, which no clock event precedes, ends at ``at``."""
    ends = [committed(3, at), observed(3, row, at=at), returned(3, YES, at, 2)]
    return [*GIVEN_TO_A, step(3), invoked(3, "prepare", "B", 10), *ends]


CASES = (
    Case(
        "refused before another call took the job, instead of after",
        answers,
        breaks=both_ask(B_IS_REFUSED, A_TAKES_IT),
        expected=violation(
            answers,
            2,
            0,
            "worker B called prepare(j1) in the situation 'PENDING' and got refused.",
            ("prepare(j1)", "accepted", "refused"),
        ),
        near_miss=both_ask(A_TAKES_IT, B_IS_REFUSED),
    ),
    Case(
        "refused for a lease that was live for a moment, but before the call",
        answers,
        breaks=[*GIVEN_TO_A, *RELEASED, *call(4, "prepare", "B", answer=NO)],
        expected=violation(
            answers,
            4,
            0,
            "worker B called prepare(j1) in the situation 'RETRYING' and got refused.",
            ("prepare(j1)", "accepted", "refused"),
        ),
        near_miss=both_ask(A_TAKES_IT, *A_RELEASES_IT, B_IS_REFUSED),
    ),
    Case(
        "a call that wrote is held to the state that its commit found",
        answers,
        breaks=both_ask(A_TAKES_IT, *B_TAKES_IT_TOO),
        expected=violation(
            answers,
            2,
            0,
            "worker B called prepare(j1) in the situation 'RUNNING, lease live' and got accepted.",
            ("prepare(j1)", "refused", "accepted"),
        ),
        near_miss=both_ask(A_TAKES_IT, *A_RELEASES_IT, *B_TAKES_IT_TOO),
    ),
    *(
        Case(
            f"refused as late a second before the lease ends, {when}",
            answers,
            breaks=refused_as_late(returned(3, NO, at=LEASE - 1), clock(LEASE)),
            expected=violation(
                answers,
                3,
                LEASE - 1,
                "worker A called complete(j1, attempt 1) in the situation 'RUNNING, lease live' "
                "and got refused.",
                ("complete(j1, attempt 1)", "accepted", "refused"),
            ),
            near_miss=refused_as_late(*meanwhile, returned(3, NO, at=LEASE)),
            lifecycle=STRICT,
        )
        for when, meanwhile in (("the clock moves", [clock(LEASE)]), ("the answer is a second late", []))
    ),
    Case(
        "refused as superseded before the takeover",
        answers,
        breaks=completion_waits(A_IS_REFUSED, *B_TAKES_OVER),
        expected=violation(
            answers,
            3,
            LEASE,
            "worker A called complete(j1, attempt 1) in the situation 'RUNNING, lease expired' "
            "and got refused.",
            ("complete(j1, attempt 1)", "accepted", "refused"),
        ),
        near_miss=completion_waits(*B_TAKES_OVER, A_IS_REFUSED),
        judged=exactly(4),
    ),
    Case(
        "a takeover is judged at the second of its commit",
        answers,
        breaks=asked_at_10_committed(LEASE - 1, running(2, 2 * LEASE - 1)),
        expected=violation(
            answers,
            3,
            LEASE - 1,
            "worker B called prepare(j1) in the situation 'RUNNING, lease live' and got accepted.",
            ("prepare(j1)", "refused", "accepted"),
        ),
        near_miss=asked_at_10_committed(LEASE, running(2, 2 * LEASE)),
    ),
    Case(
        "a takeover is written at the second of its commit",
        writes,
        breaks=asked_at_10_committed(LEASE - 1, running(2, 2 * LEASE - 1)),
        expected=violation(
            writes,
            3,
            LEASE - 1,
            "worker B called prepare(j1) and left j1 as the table does not allow.",
            ("attempt", "1", "2"),
            ("lease_expires_at", "3540", "7079"),
        ),
        near_miss=asked_at_10_committed(LEASE, running(2, 2 * LEASE)),
        judged=exactly(3),
    ),
    Case(
        "told yes before the takeover, and nothing is written",
        writes,
        breaks=completion_waits(returned(3, YES, LEASE), *B_TAKES_OVER),
        expected=violation(
            writes,
            3,
            LEASE,
            "worker A was told that complete(j1, attempt 1) is done, and nothing was written.",
            ("status", "DONE", "RUNNING"),
        ),
        near_miss=completion_waits(*B_TAKES_OVER, A_IS_REFUSED),
        judged=exactly(4),
    ),
    Case(
        "told yes without a write, which a release again may be",
        writes,
        breaks=[*GIVEN_TO_A, *call(3, "release", attempt=1)],
        expected=violation(
            writes,
            3,
            0,
            "worker A was told that release(j1, attempt 1) is done, and nothing was written.",
            ("status", "RETRYING", "RUNNING"),
        ),
        near_miss=released_again_while_b_asks(observed(5, running(2)), returned(5, attempt=2), returned(4)),
        judged=exactly(5),
    ),
)
