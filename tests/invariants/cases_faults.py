"""Calls in which a fault struck: the error reaches the caller, unless the call tried again and committed."""

from __future__ import annotations

from statemachine.history.events import Event, FaultStruck
from statemachine.invariants.leases import attempts_count_acquisitions
from statemachine.invariants.table import operations_answer_by_the_table
from statemachine.lifecycle import Answer
from tests.support.events import (
    NO,
    YES,
    Case,
    committed,
    created,
    done,
    exactly,
    failed,
    finished,
    invoked,
    observed,
    prepared,
    raised,
    returned,
    running,
    step,
    struck,
    violation,
)

GIVEN_TO_A = [*created(), *prepared(2)]
COMPLETED = [*GIVEN_TO_A, *finished(3, "complete", done())]
GONE = "OperationalError: gone away"


def struck_in(before: list[Event], operation: str, *rest: Event, attempt: int | None = None) -> list[Event]:
    """The fourth step is a call by worker B whose transaction is rolled back by a database error."""
    return [*before, step(4), invoked(4, operation, "B", attempt=attempt), struck(4), *rest]


SWALLOWED = tuple(
    Case(
        name,
        operations_answer_by_the_table,
        breaks=struck_in(before, operation, returned(4, answer), attempt=attempt),
        expected=violation(
            operations_answer_by_the_table,
            4,
            0,
            f"worker B called {asked} in the situation '{situation}' and got {answer}.",
            (asked, "the database error", str(answer)),
        ),
        near_miss=struck_in(before, operation, *instead, attempt=attempt),
        judged=exactly(judged),
    )
    for name, before, operation, attempt, answer, instead, judged, asked, situation in (
        (
            "an error is told as a refusal, which was due anyway",
            GIVEN_TO_A,
            "prepare",
            None,
            NO,
            [committed(4), returned(4, NO)],
            3,
            "prepare(j1)",
            "RUNNING, lease live",
        ),
        (
            "an error is told as success, which was due anyway",
            COMPLETED,
            "complete",
            1,
            YES,
            [committed(4), returned(4, YES)],
            4,
            "complete(j1, attempt 1)",
            "again, after its own finish",
        ),
        (
            "an error is told as success, and the second try is missing",
            GIVEN_TO_A,
            "fail",
            1,
            YES,
            [committed(4), observed(4, failed()), returned(4, YES)],
            3,
            "fail(j1, attempt 1)",
            "RUNNING, lease live",
        ),
        (
            "an error is told as a refusal, instead of itself",
            GIVEN_TO_A,
            "prepare",
            None,
            NO,
            [raised(4, GONE)],
            3,
            "prepare(j1)",
            "RUNNING, lease live",
        ),
    )
)


def answered(answer: Answer, *, lost: bool) -> list[Event]:
    """A prepare that committed is answered; ``lost``: for its second try, after the first went unheard."""
    asked = [*created(), step(2), invoked(2, "prepare"), committed(2), observed(2, running())]
    unheard = [FaultStruck(0, 2, "answer_lost")] if lost else []
    return [*asked, *unheard, returned(2, answer)]


TRIED_AGAIN = (
    Case(
        "refused by its own lease, without a first answer that was lost",
        operations_answer_by_the_table,
        breaks=answered(NO, lost=False),
        expected=violation(
            operations_answer_by_the_table,
            2,
            0,
            "worker A called prepare(j1) in the situation 'PENDING' and got refused.",
            ("prepare(j1)", "accepted", "refused"),
        ),
        near_miss=answered(NO, lost=True),
        judged=exactly(2),
    ),
    Case(
        "no number is told, without a first answer that was lost",
        attempts_count_acquisitions,
        breaks=answered(NO, lost=False),
        expected=violation(
            attempts_count_acquisitions,
            2,
            0,
            "acquisition 1 of j1 wrote attempt 1 and told its caller None.",
            ("attempt in the row", "1", "1"),
            ("attempt told", "1", "None"),
        ),
        near_miss=answered(NO, lost=True),
        judged=exactly(1),
    ),
)
CASES = (*SWALLOWED, *TRIED_AGAIN)
