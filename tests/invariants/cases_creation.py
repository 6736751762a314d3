"""Creating a job id: what the second create may not do, and what may happen around the first."""

from __future__ import annotations

from statemachine.history.events import Event, PublicationQueued
from statemachine.invariants import Violation
from statemachine.invariants.rows import a_job_is_created_once
from statemachine.lifecycle import Answer
from tests.support.events import (
    NO,
    PENDING,
    TAKEN,
    YES,
    Case,
    Outcome,
    call,
    clock,
    committed,
    created,
    exactly,
    invoked,
    observed,
    raised,
    returned,
    sent,
    step,
    violation,
)

MARKED = PENDING._replace(published_at=0)
PUBLISHED = [invoked(9, "publish", "publisher"), sent(), committed(9), observed(9, MARKED), returned(9)]


def accepted_twice(at: float = 0) -> Violation:
    return violation(
        a_job_is_created_once,
        2,
        at,
        "creating j1 a second time was accepted.",
        ("create(j1)", "IntegrityError", "accepted"),
    )


def created_again(*meanwhile: Event) -> list[Event]:
    began, asked, error = call(2, "create", "application", answer=TAKEN)
    return [*created(), began, asked, *meanwhile, error]


def answered_again(answer: Outcome) -> list[Event]:
    return [*created(), *call(2, "create", "application", answer=answer)]


def first_answered_after(*meanwhile: Event, at: float = 0) -> list[Event]:
    """The first create is committed, and something happens before its caller hears of it."""
    *committed_and_seen, _answered = created()
    return [*committed_and_seen, *meanwhile, returned(1, at=at)]


def second_accepted_after(*meanwhile: Event, at: float = 0) -> list[Event]:
    return [*created(), step(2), invoked(2, "create", "application"), *meanwhile, returned(2, at=at)]


def two_at_once(*rest: Event) -> list[Event]:
    """Both creates are asked before either has written; the first one wins."""
    first, second = invoked(1, "create", "application"), invoked(2, "create", "application")
    return [step(1), first, second, committed(1), observed(1, PENDING), returned(1), *rest]


CASES = (
    *(
        Case(
            f"the second create is accepted, not answered with {answer}",
            a_job_is_created_once,
            breaks=answered_again(YES),
            expected=accepted_twice(),
            near_miss=answered_again(answer),
            judged=exactly(times),
        )
        # The first create counts once; of the second only the IntegrityError is this claim's to praise.
        for answer, times in (
            (TAKEN, 2),
            ("ValueError: no such tenant", 1),
            (NO, 1),
            (Answer.INTEGRITY_ERROR, 1),
        )
    ),
    Case(
        "the second create publishes",
        a_job_is_created_once,
        breaks=created_again(PublicationQueued(0, 2, "j1", "t1")),
        expected=violation(
            a_job_is_created_once,
            2,
            0,
            "creating j1 a second time published it again.",
            ("create(j1)", "IntegrityError, nothing published", "a publication"),
        ),
        near_miss=created_again(),
    ),
    *(
        Case(
            f"the second create {deed} the row",
            a_job_is_created_once,
            breaks=created_again(seen),
            expected=violation(
                a_job_is_created_once,
                2,
                0,
                "creating j1 a second time changed rows.",
                ("row", "PENDING, attempt 0", row),
            ),
            near_miss=created_again(),
        )
        for deed, seen, row in (
            ("changes", observed(2, PENDING._replace(attempt=1)), "PENDING, attempt 1"),
            ("deletes", observed(2, gone=("j1",)), "no row"),
        )
    ),
    *(
        Case(
            f"{what} before the first create is answered",
            a_job_is_created_once,
            breaks=second_accepted_after(*meanwhile, at=at),
            expected=accepted_twice(at),
            near_miss=first_answered_after(*meanwhile, at=at),
            judged=exactly(1),
        )
        for what, meanwhile, at in (
            ("the job is published", PUBLISHED, 0),
            ("the clock moves", [clock(60)], 60),
        )
    ),
    Case(
        "two creates at once, and both write",
        a_job_is_created_once,
        breaks=two_at_once(observed(2, PENDING._replace(attempt=1)), raised(2, TAKEN)),
        expected=violation(
            a_job_is_created_once,
            1,
            0,
            "creating j1 a second time changed rows.",
            ("row", "PENDING, attempt 0", "PENDING, attempt 1"),
        ),
        near_miss=two_at_once(raised(2, TAKEN)),
        judged=exactly(2),
    ),
)
