"""Systems in which a failure ends in DONE, or in which no token is shown."""

from __future__ import annotations

from collections.abc import Sequence

from statemachine.history.events import Event
from statemachine.invariants import rows, table
from statemachine.lifecycle import Answer, JobRow
from tests.support.events import (
    LEASE,
    NO,
    ONE_END,
    UNFENCED,
    YES,
    Case,
    call,
    clock,
    created,
    done,
    finished,
    prepared,
    violation,
)

GIVEN_TO_A = [*created(), *prepared(2)]
TAKEN_OVER = [*GIVEN_TO_A, clock(LEASE), *prepared(3, "B", LEASE, attempt=2)]
ANSWERS, WRITES = table.operations_answer_by_the_table, table.operations_write_by_the_table

WITHOUT_RESULT = done(result=None, results=0)


def ended(operation: str, row: JobRow) -> list[Event]:
    return [*GIVEN_TO_A, *finished(3, operation, row)]


def wrong_result(name: str, operation: str, row: JobRow, instead: JobRow) -> Case:
    claim, due = rows.a_job_completes_at_most_once, str(instead.results)
    number = f"{row.results} result row{'' if row.results == 1 else 's'}"
    expected = violation(
        claim,
        3,
        0,
        f"worker A left j1 DONE with {number} after 1 terminal commit.",
        ("result rows", due, str(row.results)),
        ("terminal commits", "at most 1", "1"),
    )
    return Case(name, claim, ended(operation, row), expected, ended(operation, instead), ONE_END)


FAILURES_END_IN_DONE = (
    wrong_result("a failure ends in DONE with a result", "fail", done(), WITHOUT_RESULT),
    wrong_result("a completion ends in DONE without one", "complete", WITHOUT_RESULT, done()),
    Case(
        "a failure leaves FAILED where it should end in DONE",
        WRITES,
        breaks=ended("fail", JobRow("j1", "t1", "FAILED", 1)),
        expected=violation(
            WRITES,
            3,
            0,
            "worker A called fail(j1, attempt 1) and left j1 as the table does not allow.",
            ("status", "DONE", "FAILED"),
        ),
        near_miss=ended("fail", WITHOUT_RESULT),
        lifecycle=ONE_END,
    ),
    Case(
        "a completed job loses its result to a late failure",
        rows.terminal_jobs_never_change,
        breaks=[*ended("complete", done()), *finished(4, "fail", WITHOUT_RESULT)],
        expected=violation(
            rows.terminal_jobs_never_change,
            4,
            0,
            "worker A changed j1 by fail after it had ended.",
            ("row", "DONE, attempt 1", "DONE, attempt 1"),
            ("result", "a", "None"),
        ),
        near_miss=[*ended("complete", done()), *call(4, "fail", attempt=1)],
        lifecycle=ONE_END,
    ),
)


def finished_late(answer: Answer, *leaves: JobRow, tenant: str = "t1") -> list[Event]:
    """Attempt 1 completes the job that attempt 2 has taken over."""
    late = call(4, "complete", at=LEASE, tenant=tenant, attempt=1, leaves=leaves, answer=answer)
    return [*TAKEN_OVER, *late]


def without_token(name: str, breaks: Sequence[Event], near_miss: Sequence[Event], situation: str) -> Case:
    due, got = ("accepted", "refused") if situation == "RUNNING, lease live" else ("refused", "accepted")
    expected = violation(
        ANSWERS,
        4,
        LEASE,
        f"worker A called complete(j1, attempt 1) in the situation '{situation}' and got {got}.",
        ("complete(j1, attempt 1)", due, got),
    )
    return Case(name, ANSWERS, breaks, expected, near_miss, UNFENCED)


NO_TOKEN = (
    without_token(
        "without tokens a superseded attempt may complete",
        finished_late(NO),
        finished_late(YES, done(2)),
        "RUNNING, lease live",
    ),
    without_token(
        "another tenant may not, token or none",
        finished_late(YES, tenant="t2"),
        finished_late(NO, tenant="t2"),
        "no such job for that tenant",
    ),
    Case(
        "what it then writes is a completion like any other",
        WRITES,
        breaks=finished_late(YES, done(1)),
        expected=violation(
            WRITES,
            4,
            LEASE,
            "worker A called complete(j1, attempt 1) and left j1 as the table does not allow.",
            ("attempt", "2", "1"),
        ),
        near_miss=finished_late(YES, done(2)),
        lifecycle=UNFENCED,
    ),
)
CASES = (*FAILURES_END_IN_DONE, *NO_TOKEN)
