"""What a commit may do to a row: each claim broken by a literal history, and its nearest legal one."""

from __future__ import annotations

from typing import Any

from statemachine.history.events import Event
from statemachine.history.words import counted
from statemachine.invariants import rows
from statemachine.lifecycle import JobRow
from tests.support.events import (
    LEASE,
    NO,
    YES,
    Case,
    call,
    created,
    done,
    exactly,
    failed,
    finished,
    observed,
    prepared,
    retrying,
    running,
    violation,
)


def leased_then(operation: str, **outcome: Any) -> list[Event]:
    """Worker A holds attempt 1, and the third step is the one to be judged."""
    return [*created(), *prepared(2), *call(3, operation, **outcome)]


def ended_then(operation: str, **outcome: Any) -> list[Event]:
    """Attempt 1 has completed with result "a", and the fourth step is the one to be judged."""
    return [*created(), *prepared(2), *finished(3, "complete", done()), *call(4, operation, **outcome)]


def failed_then_taken(first_end: JobRow) -> list[Event]:
    """Attempt 1 ends its lease, attempt 2 takes the job and fails it."""
    taken = [*prepared(4, "B", attempt=2), *finished(5, "fail", failed(2), "B")]
    return [*leased_then("fail", attempt=1, leaves=[first_end]), *taken]


MARKED = running()._replace(published_at=0)
TAKEN_EARLY = prepared(3, "B", LEASE - 1, attempt=2)
MARKED_EARLY = call(3, "publish", "B", LEASE - 1, leaves=[MARKED])

CASES = (
    Case(
        "a stranger's prepare is granted",
        rows.tenants_never_mix,
        breaks=[*created(), *call(2, "prepare", tenant="t2", answer=YES)],
        expected=violation(
            rows.tenants_never_mix,
            2,
            0,
            "worker A for t2 was granted j1, which is t1's.",
            ("prepare(j1) for t2", "refused", "accepted"),
        ),
        near_miss=[*created(), *call(2, "prepare", tenant="t2", answer=NO)],
    ),
    Case(
        "a stranger's fail is refused and written",
        rows.tenants_never_mix,
        breaks=leased_then("fail", by="stray", tenant="t2", attempt=1, leaves=[failed()], answer=None),
        expected=violation(
            rows.tenants_never_mix,
            3,
            0,
            "a stray call for t2 changed j1, which is t1's.",
            ("row", "RUNNING, attempt 1", "FAILED, attempt 1"),
            ("tenant", "t1", "t2"),
        ),
        near_miss=leased_then("fail", by="stray", tenant="t2", attempt=1, answer=NO),
    ),
    Case(
        "DONE becomes FAILED (except: mark_failed)",
        rows.terminal_jobs_never_change,
        breaks=ended_then("fail", attempt=1, leaves=[failed()]),
        expected=violation(
            rows.terminal_jobs_never_change,
            4,
            0,
            "worker A changed j1 by fail after it had ended.",
            ("row", "DONE, attempt 1", "FAILED, attempt 1"),
            ("result", "a", "None"),
        ),
        near_miss=ended_then("fail", attempt=1, answer=NO),
    ),
    Case(
        "a late publisher may write published_at, not the attempt",
        rows.terminal_jobs_never_change,
        breaks=ended_then("publish", by="publisher", leaves=[done(2)]),
        expected=violation(
            rows.terminal_jobs_never_change,
            4,
            0,
            "the publisher changed j1 by publish after it had ended.",
            ("row", "DONE, attempt 1", "DONE, attempt 2"),
            ("result", "a", "a"),
        ),
        near_miss=ended_then("publish", by="publisher", leaves=[done()._replace(published_at=0)]),
    ),
    *(
        Case(
            f"a result is {deed}",
            rows.a_result_is_written_once,
            breaks=ended_then("complete", attempt=1, leaves=[row]),
            expected=violation(
                rows.a_result_is_written_once,
                4,
                0,
                "worker A rewrote the result of j1.",
                ("result", "a", str(row.result)),
                ("result rows", "1", str(row.results)),
            ),
            near_miss=ended_then("complete", attempt=1, leaves=[done(result="a", results=1)]),
        )
        for deed, row in (
            ("replaced", done(result="b")),
            ("doubled", done(results=2)),
            ("withdrawn", done(results=0, result=None)),
        )
    ),
    *(
        Case(
            f"{row.status} with {row.results} results",
            rows.a_job_completes_at_most_once,
            breaks=leased_then("complete", attempt=1, leaves=[row]),
            expected=violation(
                rows.a_job_completes_at_most_once,
                3,
                0,
                f"worker A left j1 {row.status} with {counted(row.results, 'result row')} "
                f"after {counted(int(endings), 'terminal commit')}.",
                ("result rows", due, str(row.results)),
                ("terminal commits", "at most 1", endings),
            ),
            near_miss=leased_then("complete", attempt=1, leaves=[row._replace(results=int(due))]),
        )
        for row, due, endings in (
            (done(results=0, result=None), "1", "1"),
            (done(results=2), "1", "1"),
            (failed()._replace(results=1), "0", "1"),
        )
    ),
    Case(
        "a result is committed before the status",
        rows.a_job_completes_at_most_once,
        breaks=leased_then("complete", attempt=1, leaves=[running()._replace(results=1)]),
        expected=violation(
            rows.a_job_completes_at_most_once,
            3,
            0,
            "worker A left j1 RUNNING with 1 result row after 0 terminal commits.",
            ("result rows", "0", "1"),
            ("terminal commits", "at most 1", "0"),
        ),
        near_miss=leased_then("complete", attempt=1, leaves=[done()]),
    ),
    Case(
        "a job ends twice",
        rows.a_job_completes_at_most_once,
        breaks=failed_then_taken(failed()),
        expected=violation(
            rows.a_job_completes_at_most_once,
            5,
            0,
            "worker B left j1 FAILED after 2 terminal commits.",
            ("terminal commits", "at most 1", "2"),
        ),
        near_miss=failed_then_taken(retrying()),
    ),
    Case(
        "PENDING ends without an attempt",
        rows.transitions_are_legal,
        breaks=[*created(), *call(2, "complete", attempt=0, leaves=[done(0)])],
        expected=violation(
            rows.transitions_are_legal,
            2,
            0,
            "worker A moved j1 from PENDING to DONE.",
            ("status", "PENDING or RUNNING", "DONE"),
        ),
        near_miss=[*created(), *call(2, "prepare", leaves=[running()])],
    ),
    Case(
        "FAILED is taken up again, which RETRYING may be",
        rows.transitions_are_legal,
        breaks=failed_then_taken(failed()),
        expected=violation(
            rows.transitions_are_legal,
            4,
            0,
            "worker B moved j1 from FAILED to RUNNING.",
            ("status", "FAILED", "RUNNING"),
        ),
        near_miss=failed_then_taken(retrying()),
    ),
    *(
        Case(
            f"RUNNING to RUNNING {when}",
            rows.transitions_are_legal,
            breaks=[*created(), *prepared(2), *taken],
            expected=violation(
                rows.transitions_are_legal,
                3,
                LEASE - 1,
                "worker B moved j1 from RUNNING to RUNNING.",
                ("status", "RUNNING under the same lease, or taken over once it has expired", "RUNNING anew"),
            ),
            near_miss=[*created(), *prepared(2), *instead],
        )
        for when, taken, instead in (
            ("a second before the lease ends", TAKEN_EARLY, prepared(3, "B", LEASE, attempt=2)),
            ("with a new lease", TAKEN_EARLY, MARKED_EARLY),
            ("with a new attempt", call(3, "prepare", "B", LEASE - 1, leaves=[running(2)]), MARKED_EARLY),
        )
    ),
    *(
        Case(
            f"an expired lease is begun anew by {operation}",
            rows.transitions_are_legal,
            breaks=leased_then(operation, by=by, at=LEASE, attempt=1, leaves=[running(1, 2 * LEASE)]),
            expected=violation(
                rows.transitions_are_legal,
                3,
                LEASE,
                f"{whose} moved j1 from RUNNING to RUNNING.",
                ("status", "RUNNING under the same lease, or taken over once it has expired", "RUNNING anew"),
            ),
            near_miss=leased_then("mark_running", by="stray", at=LEASE, leaves=[running(2, 2 * LEASE)]),
            judged=exactly(3),
        )
        for operation, by, whose in (
            ("release", "stray", "a stray call"),
            ("complete", "A", "worker A"),
            ("publish", "publisher", "the publisher"),
        )
    ),
    Case(
        "an ended job's row disappears",
        rows.transitions_are_legal,
        breaks=[*ended_then("fail", attempt=1, answer=None), observed(4, gone=("j1",))],
        expected=violation(
            rows.transitions_are_legal,
            4,
            0,
            "worker A moved j1 from DONE to nothing.",
            ("status", "DONE", "no row"),
        ),
        near_miss=[*ended_then("fail", attempt=1, answer=None), observed(4, done())],
    ),
)
