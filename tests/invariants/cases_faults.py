"""Calls in which a fault struck: the error reaches the caller, unless the call tried again and committed."""

from __future__ import annotations

from statemachine.history import Event
from statemachine.invariants.table import operations_answer_by_the_table
from tests.invariants.events import (
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


CASES = tuple(
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
