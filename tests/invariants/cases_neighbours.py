"""What a call may touch: the row of its own job; and steps that are about a message, no row at all."""

from __future__ import annotations

from collections.abc import Sequence

from statemachine.history.events import DrainBegan, Event
from statemachine.invariants.rows import an_operation_touches_only_its_job
from statemachine.invariants.table import operations_write_by_the_table
from statemachine.lifecycle import JobRow
from tests.support.events import (
    AT_LEAST_ONCE,
    PENDING,
    Case,
    call,
    committed,
    created,
    done,
    exactly,
    finished,
    observed,
    others,
    prepared,
    running,
    swept,
    violation,
)

OTHER = JobRow("j2", "t2", "PENDING")
TWO_JOBS = [*created(), *created(2, OTHER)]
GIVEN_TO_A = [*TWO_JOBS, *prepared(3)]
ENDED = [*GIVEN_TO_A, *finished(4, "complete", done())]


def touched(
    name: str,
    breaks: Sequence[Event],
    near_miss: Sequence[Event],
    story: str,
    row: tuple[str, str],
    *,
    blamed: int,
    subject: str = "j2",
    judged: range = AT_LEAST_ONCE,
) -> Case:
    claim = an_operation_touches_only_its_job
    expected = violation(claim, blamed, 0, story, ("row", *row), subject=subject)
    return Case(name, claim, breaks, expected, near_miss, judged=judged)


NEIGHBOURS = (
    touched(
        "an update without its WHERE",
        [*TWO_JOBS, *call(3, "prepare", leaves=[running(), OTHER._replace(status="RUNNING", attempt=1)])],
        GIVEN_TO_A,
        "worker A called prepare for j1 and changed j2.",
        ("PENDING, attempt 0", "RUNNING, attempt 1"),
        blamed=3,
        judged=exactly(3),
    ),
    touched(
        "a completion that clears the table",
        [*GIVEN_TO_A, *call(4, "complete", attempt=1, leaves=[done()]), observed(4, gone=("j2",))],
        ENDED,
        "worker A called complete for j1 and changed j2.",
        ("PENDING, attempt 0", "no row"),
        blamed=4,
        judged=exactly(4),
    ),
    touched(
        "a creation that ends another job",
        [*GIVEN_TO_A, *call(4, "create", "application", job="j4", leaves=[done()])],
        [*GIVEN_TO_A, *created(4, PENDING._replace(job="j4"))],
        "the application called create for j4 and changed j1.",
        ("RUNNING, attempt 1", "DONE, attempt 1"),
        blamed=4,
        subject="j1",
        judged=exactly(4),
    ),
    touched(
        "a receive that writes",
        [*TWO_JOBS, *call(3, "receive", job="", tenant="", leaves=[running()])],
        [*TWO_JOBS, *call(3, "receive", job="", tenant="")],
        "worker A called receive for a message and changed j1.",
        ("PENDING, attempt 0", "RUNNING, attempt 1"),
        blamed=3,
        subject="j1",
        judged=exactly(2),
    ),
    touched(
        "an acknowledgement that writes to another job",
        [*ENDED, *call(5, "acknowledge", leaves=[OTHER._replace(published_at=0)])],
        [*ENDED, *call(5, "acknowledge")],
        "worker A called acknowledge for j1 and changed j2.",
        ("PENDING, attempt 0", "PENDING, attempt 0"),
        blamed=5,
        judged=exactly(4),
    ),
    touched(
        "a publisher may mark one job, a sweep all of them",
        [*TWO_JOBS, *call(3, "publish", "publisher", leaves=[OTHER._replace(published_at=0)])],
        [
            *TWO_JOBS,
            *swept(3, 60, committed(3, 60), observed(3, PENDING, OTHER._replace(published_at=60), at=60)),
        ],
        "the publisher called publish for j1 and changed j2.",
        ("PENDING, attempt 0", "PENDING, attempt 0"),
        blamed=3,
        judged=exactly(4),
    ),
)


def counted(*aggregates: str) -> list[Event]:
    """All other rows are counted at the beginning, and once for each of the rest in the drain."""
    first, *rest = aggregates
    return [others(first), *created(), DrainBegan(0), *(others(aggregate) for aggregate in rest)]


OTHER_ROWS = Case(
    "other rows at the end of the example are as at its beginning",
    an_operation_touches_only_its_job,
    breaks=counted("(2, 7)", "(1, 7)"),
    expected=violation(
        an_operation_touches_only_its_job,
        1,
        0,
        "rows of jobs that nothing was asked of are not as they were at the beginning.",
        ("aggregate over all other rows", "(2, 7)", "(1, 7)"),
        subject="other rows",
    ),
    near_miss=counted("(2, 7)", "(2, 7)"),
    judged=exactly(2),
)
FIRST_COUNT = Case(
    "it is the first count that the last is compared with, not one in between",
    an_operation_touches_only_its_job,
    breaks=[others("(2, 7)"), others("(1, 7)"), *created(), DrainBegan(0), others("(1, 7)")],
    expected=OTHER_ROWS.expected,
    near_miss=[others("(2, 7)"), others("(1, 7)"), *created(), DrainBegan(0), others("(2, 7)")],
    judged=exactly(2),
)


def message_step_writes(operation: str) -> Case:
    """A step about a message that writes to the very job of that message."""
    claim = operations_write_by_the_table
    return Case(
        f"{operation} writes to its message's own job",
        claim,
        breaks=[*GIVEN_TO_A, *call(4, operation, leaves=[running(until=7140)])],
        expected=violation(
            claim,
            4,
            0,
            f"worker A called {operation}(j1) and left j1 as the table does not allow.",
            ("lease_expires_at", "3540", "7140"),
        ),
        near_miss=[*GIVEN_TO_A, *call(4, operation)],
        judged=exactly(3),
    )


CASES = (
    *NEIGHBOURS,
    OTHER_ROWS,
    FIRST_COUNT,
    message_step_writes("extend"),
    message_step_writes("acknowledge"),
)
