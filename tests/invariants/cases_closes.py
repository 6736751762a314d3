"""Systems with further ends, REVIEW_REQUIRED and CANCELLED here: a closed job has ended, without a result."""

from __future__ import annotations

from statemachine.history.events import DrainEnded, Event
from statemachine.invariants import drain, leases, messages, rows, table
from statemachine.lifecycle import Answer, JobRow
from tests.support.events import (
    LEASE,
    NO,
    REVIEWS,
    YES,
    Case,
    call,
    clock,
    created,
    delete_requested,
    delivered,
    exactly,
    finished,
    prepared,
    sent,
    violation,
)

GIVEN_TO_A = [*created(), *prepared(2)]
TAKEN_OVER = [*GIVEN_TO_A, clock(LEASE), *prepared(3, "B", LEASE, attempt=2)]
ANSWERS, WRITES = table.operations_answer_by_the_table, table.operations_write_by_the_table

TO_REVIEW = JobRow("j1", "t1", "REVIEW_REQUIRED", 1)
CLOSED = [*GIVEN_TO_A, *finished(3, "close", TO_REVIEW)]


def closed_then(
    operation: str, answer: Answer = NO, *leaves: JobRow, payload: str | None = None
) -> list[Event]:
    return [*CLOSED, *call(4, operation, attempt=1, payload=payload, leaves=leaves, answer=answer)]


def message_of(*events: Event) -> list[Event]:
    """Worker A holds the job and its message."""
    return [*created(), sent(), delivered(), *prepared(2), *events]


CASES = (
    Case(
        "a job that was never taken is closed",
        rows.transitions_are_legal,
        breaks=[*created(), *call(2, "close", attempt=0, payload="REVIEW_REQUIRED", leaves=[TO_REVIEW])],
        expected=violation(
            rows.transitions_are_legal,
            2,
            0,
            "worker A moved j1 from PENDING to REVIEW_REQUIRED.",
            ("status", "PENDING or RUNNING", "REVIEW_REQUIRED"),
        ),
        near_miss=CLOSED,
        lifecycle=REVIEWS,
    ),
    Case(
        "a closed job is failed",
        rows.terminal_jobs_never_change,
        breaks=closed_then("fail", YES, JobRow("j1", "t1", "FAILED", 1)),
        expected=violation(
            rows.terminal_jobs_never_change,
            4,
            0,
            "worker A changed j1 by fail after it had ended.",
            ("row", "REVIEW_REQUIRED, attempt 1", "FAILED, attempt 1"),
            ("result", "None", "None"),
        ),
        near_miss=closed_then("fail"),
        lifecycle=REVIEWS,
    ),
    Case(
        "a closed job has a result",
        rows.a_job_completes_at_most_once,
        breaks=[*GIVEN_TO_A, *finished(3, "close", TO_REVIEW._replace(results=1, result="a"))],
        expected=violation(
            rows.a_job_completes_at_most_once,
            3,
            0,
            "worker A left j1 REVIEW_REQUIRED with 1 result row after 1 terminal commit.",
            ("result rows", "0", "1"),
            ("terminal commits", "at most 1", "1"),
        ),
        near_miss=CLOSED,
        lifecycle=REVIEWS,
    ),
    Case(
        "closed by an attempt that was superseded",
        leases.only_the_holder_finishes,
        breaks=[
            *TAKEN_OVER,
            *call(
                4,
                "close",
                at=LEASE,
                attempt=1,
                payload="CANCELLED",
                leaves=[JobRow("j1", "t1", "CANCELLED", 2)],
            ),
        ],
        expected=violation(
            leases.only_the_holder_finishes,
            4,
            LEASE,
            "worker A closed job j1 while worker B held the lease.",
            ("close(j1) with attempt 1", "refused", "accepted"),
            ("status / attempt", "RUNNING / 2", "CANCELLED / 2"),
        ),
        near_miss=[*TAKEN_OVER, *finished(4, "close", JobRow("j1", "t1", "CANCELLED", 2), "B", LEASE)],
        lifecycle=REVIEWS,
    ),
    Case(
        "closed in another status than it asked for",
        WRITES,
        breaks=[*GIVEN_TO_A, *call(3, "close", attempt=1, payload="CANCELLED", leaves=[TO_REVIEW])],
        expected=violation(
            WRITES,
            3,
            0,
            "worker A called close(j1, attempt 1) and left j1 as the table does not allow.",
            ("status", "CANCELLED", "REVIEW_REQUIRED"),
        ),
        near_miss=CLOSED,
        lifecycle=REVIEWS,
    ),
    Case(
        "closed again otherwise, told as success; closed again the same way is one",
        ANSWERS,
        breaks=closed_then("close", YES, payload="CANCELLED"),
        expected=violation(
            ANSWERS,
            4,
            0,
            "worker A called close(j1, attempt 1) in the situation 'after another finish of its own' "
            "and got accepted.",
            ("close(j1, attempt 1)", "refused", "accepted"),
        ),
        near_miss=closed_then("close", YES, payload="REVIEW_REQUIRED"),
        lifecycle=REVIEWS,
    ),
    Case(
        "the message of a closed job may go, not that of a running one",
        messages.messages_outlive_unfinished_jobs,
        breaks=message_of(delete_requested(), *finished(3, "close", TO_REVIEW)),
        expected=violation(
            messages.messages_outlive_unfinished_jobs,
            2,
            0,
            "worker A deleted the message of j1 while j1 is RUNNING.",
            ("message m1", "kept in the queue", "delete requested"),
            ("status of its job", "terminal", "RUNNING"),
        ),
        near_miss=message_of(*finished(3, "close", TO_REVIEW), delete_requested()),
        lifecycle=REVIEWS,
    ),
    Case(
        "a closed job has ended",
        drain.every_job_ends,
        breaks=[*GIVEN_TO_A, DrainEnded(0)],
        expected=violation(
            drain.every_job_ends,
            2,
            0,
            "j1 never ends: all is quiet and it is RUNNING.",
            ("status", "CANCELLED or DONE or FAILED or REVIEW_REQUIRED", "RUNNING"),
        ),
        near_miss=[*CLOSED, DrainEnded(0)],
        lifecycle=REVIEWS,
        judged=exactly(1),
    ),
)
