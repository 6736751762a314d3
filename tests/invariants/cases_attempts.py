"""The fencing token: which number an acquisition is given, and who may finish with it."""

from __future__ import annotations

from statemachine.history.events import Event
from statemachine.invariants import leases
from statemachine.lifecycle import JobRow
from tests.support.events import (
    LEASE,
    PENDING,
    YES,
    Case,
    call,
    committed,
    created,
    done,
    exactly,
    failed,
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

GIVEN_TO_A = [*created(), *prepared(2)]
PENDING_2 = PENDING._replace(job="j2")
RUNNING_2, DONE_2 = running()._replace(job="j2"), done()._replace(job="j2")


def late_completion(by: str, attempt: int) -> list[Event]:
    """Somebody completes while worker B holds attempt 2."""
    taken_over = [*GIVEN_TO_A, *prepared(3, "B", LEASE, attempt=2)]
    return [*taken_over, *call(4, "complete", by, LEASE, attempt=attempt, leaves=[done(2)])]


def taken_over_as(attempt: int) -> list[Event]:
    row = running(attempt, 2 * LEASE)
    return [*GIVEN_TO_A, *call(3, "prepare", "B", LEASE, leaves=[row], answer=None)]


def acquired(row: JobRow, told: int | None = None) -> list[Event]:
    """One acquisition that leaves ``row``; its caller dies unless it is ``told`` a number."""
    answer = None if told is None else YES
    return [*created(), *call(2, "prepare", leaves=[row], answer=answer, told=told)]


def heard_after_takeover(told: int) -> list[Event]:
    """Worker A is told its number when worker B already holds attempt 2."""
    a_takes_it = [step(2), invoked(2, "prepare"), committed(2), observed(2, running())]
    return [*created(), *a_takes_it, *prepared(3, "B", LEASE, attempt=2), returned(2, at=LEASE, attempt=told)]


def completed_by_a(*rows: JobRow) -> list[Event]:
    """A holds j1 and B holds j2, each as attempt 1; A completes j1."""
    b_holds_j2 = call(4, "prepare", "B", job="j2", leaves=[RUNNING_2], told=1)
    both_held = [*created(), *created(2, PENDING_2), *prepared(3), *b_holds_j2]
    return [*both_held, *call(5, "complete", attempt=1, leaves=rows)]


CASES = (
    Case(
        "a superseded attempt completes",
        leases.only_the_holder_finishes,
        breaks=late_completion("A", attempt=1),
        expected=violation(
            leases.only_the_holder_finishes,
            4,
            3540,
            "worker A completed job j1 while worker B held the lease.",
            ("complete(j1) with attempt 1", "refused", "accepted"),
            ("status / attempt", "RUNNING / 2", "DONE / 2"),
        ),
        near_miss=late_completion("B", attempt=2),
    ),
    Case(
        "attempt 0 fails a job that nobody holds",
        leases.only_the_holder_finishes,
        breaks=[*created(), *call(2, "fail", "stray", attempt=0, leaves=[failed(0)])],
        expected=violation(
            leases.only_the_holder_finishes,
            2,
            0,
            "a stray call failed job j1 while nobody held a lease.",
            ("fail(j1) with attempt 0", "refused", "accepted"),
            ("status / attempt", "PENDING / 0", "FAILED / 0"),
        ),
        near_miss=[*created(), *prepared(2), *call(3, "fail", "stray", attempt=1, leaves=[failed()])],
    ),
    Case(
        "an attempt that has released its job fails it",
        leases.only_the_holder_finishes,
        breaks=[*GIVEN_TO_A, *finished(3, "release", retrying()), *finished(4, "fail", failed())],
        expected=violation(
            leases.only_the_holder_finishes,
            4,
            0,
            "worker A failed job j1 while nobody held a lease.",
            ("fail(j1) with attempt 1", "refused", "accepted"),
            ("status / attempt", "RETRYING / 1", "FAILED / 1"),
        ),
        near_miss=[*GIVEN_TO_A, *finished(3, "fail", failed())],
    ),
    Case(
        "one attempt 1 ends the job of another",
        leases.only_the_holder_finishes,
        breaks=completed_by_a(done(), DONE_2),
        expected=violation(
            leases.only_the_holder_finishes,
            5,
            0,
            "worker A completed job j2 by a call for j1 while worker B held the lease.",
            ("complete(j1) with attempt 1", "j2 untouched", "accepted"),
            ("status / attempt", "RUNNING / 1", "DONE / 1"),
            subject="j2",
        ),
        near_miss=completed_by_a(done()),
        judged=exactly(1),
    ),
    *(
        Case(
            name,
            leases.attempts_count_acquisitions,
            breaks=breaks,
            expected=violation(
                leases.attempts_count_acquisitions,
                step,
                at,
                f"acquisition {count} of j1 wrote attempt {wrote} and told its caller {told}.",
                ("attempt in the row", str(count), str(wrote)),
                ("attempt told", str(count), str(told)),
            ),
            near_miss=near_miss,
        )
        for name, breaks, near_miss, step, at, count, wrote, told in (
            ("from 0", acquired(running(0)), acquired(running(1)), 2, 0, 1, 0, 0),
            ("told 2", acquired(running(1), told=2), acquired(running(1), told=1), 2, 0, 1, 1, 2),
            ("a takeover keeps the number", taken_over_as(1), taken_over_as(2), 3, LEASE, 2, 1, 1),
        )
    ),
    Case(
        "told its number after the takeover",
        leases.attempts_count_acquisitions,
        breaks=heard_after_takeover(told=2),
        expected=violation(
            leases.attempts_count_acquisitions,
            3,
            LEASE,
            "acquisition 1 of j1 wrote attempt 1 and told its caller 2.",
            ("attempt in the row", "1", "1"),
            ("attempt told", "1", "2"),
        ),
        near_miss=heard_after_takeover(told=1),
        judged=exactly(4),
    ),
)
