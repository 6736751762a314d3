"""The decision list as oracle: answers that lie, errors that are swallowed, half an effect."""

from __future__ import annotations

from typing import Any

from statemachine.history.events import Event
from statemachine.invariants import table
from statemachine.lifecycle import Answer, JobRow, Lifecycle
from tests.support.events import (
    LEASE,
    NO,
    OURS,
    PENDING,
    TAKEN,
    YES,
    Case,
    call,
    committed,
    created,
    done,
    failed,
    finished,
    invoked,
    observed,
    prepared,
    returned,
    running,
    step,
    struck,
    swept,
    violation,
)

ANSWERS, WRITES = table.operations_answer_by_the_table, table.operations_write_by_the_table
STRICT = Lifecycle(late_completion=Answer.REFUSED)
GIVEN_TO_A = [*created(), *prepared(2)]
OTHER = JobRow("j2", "t2", "PENDING")
MARKED, SWEPT = PENDING._replace(published_at=0), PENDING._replace(published_at=60)
TWO_JOBS = [*created(), *created(2, OTHER)]
PUBLISHED = call(2, "publish", "publisher", leaves=[MARKED])


def answers(
    name: str,
    breaks: list[Event],
    near_miss: list[Event],
    blamed: int,
    asked: str,
    due: str,
    got: str,
    situation: str,
    *,
    at: float = 0,
    by: str = "worker A",
    lifecycle: Lifecycle = OURS,
) -> Case:
    """Step ``blamed`` was ``due`` one answer and ``got`` another."""
    expected = violation(
        ANSWERS,
        blamed,
        at,
        f"{by} called {asked} in the situation '{situation}' and got {got}.",
        (asked, due, got),
    )
    return Case(name, ANSWERS, breaks, expected, near_miss, lifecycle)


def writes(
    name: str,
    breaks: list[Event],
    near_miss: list[Event],
    blamed: int,
    asked: str,
    *differing: tuple[str, str, str],
    by: str = "worker A",
    job: str = "j1",
    at: float = 0,
) -> Case:
    story = f"{by} called {asked} and left {job} as the table does not allow."
    return Case(
        name, WRITES, breaks, violation(WRITES, blamed, at, story, *differing, subject=job), near_miss
    )


def erring(*faults: Event) -> list[Event]:
    began, asked, error = call(2, "prepare", answer="OperationalError: gone away")
    return [*created(), began, asked, *faults, error]


def late(at: float) -> list[Event]:
    return [*GIVEN_TO_A, *finished(3, "complete", done(), at=at)]


def completed_again(**outcome: Any) -> list[Event]:
    return [*GIVEN_TO_A, *finished(3, "complete", done()), *call(4, "complete", attempt=1, **outcome)]


def marked(number: int, at: float, *rows: JobRow) -> list[Event]:
    """A sweep that leaves ``rows``."""
    return swept(number, at, committed(number, at), observed(number, *rows, at=at))


CASES = (
    answers(
        "a PENDING job is refused",
        [*created(), *call(2, "prepare", answer=NO)],
        [*created(), *prepared(2)],
        2,
        "prepare(j1)",
        "accepted",
        "refused",
        "PENDING",
    ),
    answers(
        "a superseded attempt is told yes",
        [*GIVEN_TO_A, *prepared(3, "B", LEASE, 2), *call(4, "fail", "A", LEASE, attempt=1, answer=YES)],
        [*GIVEN_TO_A, *prepared(3, "B", LEASE, 2), *call(4, "fail", "A", LEASE, attempt=1, answer=NO)],
        4,
        "fail(j1, attempt 1)",
        "refused",
        "accepted",
        "superseded, or attempt never given",
        at=LEASE,
    ),
    answers(
        "an error that no fault explains",
        erring(),
        erring(struck(2)),
        2,
        "prepare(j1)",
        "accepted",
        "OperationalError: gone away",
        "PENDING",
    ),
    answers(
        "IntegrityError for a new id",
        call(1, "create", answer=TAKEN),
        [*created(), *call(2, "create", answer=TAKEN)],
        1,
        "create(j1)",
        "accepted",
        TAKEN,
        "new id",
    ),
    answers(
        "any other error for an id that exists",
        [*created(), *call(2, "create", answer="OperationalError: gone away")],
        [*created(), *call(2, "create", answer=TAKEN)],
        2,
        "create(j1)",
        "IntegrityError",
        "OperationalError: gone away",
        "id exists",
    ),
    answers(
        "a late completion, where the policy refuses it",
        late(LEASE),
        late(LEASE - 1),
        3,
        "complete(j1, attempt 1)",
        "refused",
        "accepted",
        "RUNNING, lease expired",
        at=LEASE,
        lifecycle=STRICT,
    ),
    answers(
        "the same completion again is refused",
        completed_again(answer=NO),
        completed_again(answer=YES),
        4,
        "complete(j1, attempt 1)",
        "accepted",
        "refused",
        "again, after its own finish",
    ),
    answers(
        "an error that is swallowed",
        [*GIVEN_TO_A, step(3), invoked(3, "fail", attempt=1), struck(3), returned(3, NO)],
        [*GIVEN_TO_A, *call(3, "fail", attempt=2, answer=NO)],
        3,
        "fail(j1, attempt 1)",
        "the database error",
        "refused",
        "RUNNING, lease live",
    ),
    writes(
        "a job is created with an attempt",
        call(1, "create", leaves=[PENDING._replace(attempt=1)]),
        call(1, "create", leaves=[PENDING._replace(attempt=0)]),
        1,
        "create(j1)",
        ("attempt", "0", "1"),
    ),
    writes(
        "half an effect: DONE, still leased, no result",
        [*GIVEN_TO_A, *finished(3, "complete", running()._replace(status="DONE"))],
        [*GIVEN_TO_A, *finished(3, "complete", done())],
        3,
        "complete(j1, attempt 1)",
        ("locked_by", "None", "w"),
        ("lease_expires_at", "None", "3540"),
        ("results", "1", "0"),
        ("result", "a", "None"),
    ),
    writes(
        "another job is touched",
        [*created(), *created(2, OTHER), *call(3, "prepare", leaves=[running(), OTHER._replace(attempt=1)])],
        [*created(), *created(2, OTHER), *call(3, "prepare", leaves=[running()])],
        3,
        "prepare(j1)",
        ("attempt", "0", "1"),
        job="j2",
    ),
    writes(
        "a superseded call writes",
        [*GIVEN_TO_A, *call(3, "fail", attempt=0, leaves=[failed()], answer=None)],
        [*GIVEN_TO_A, *call(3, "fail", attempt=1, leaves=[failed()], answer=None)],
        3,
        "fail(j1, attempt 0)",
        ("status", "RUNNING", "FAILED"),
        ("locked_by", "w", "None"),
        ("lease_expires_at", "3540", "None"),
    ),
    writes(
        "the publisher marks a job that is past PENDING",
        [*GIVEN_TO_A, *call(3, "publish", "publisher", leaves=[running()._replace(published_at=0)])],
        [*created(), *PUBLISHED],
        3,
        "publish(j1)",
        ("published_at", "None", "0"),
        by="the publisher",
    ),
    writes(
        "the sweep touches more than published_at",
        [*TWO_JOBS, *marked(3, 60, SWEPT, OTHER._replace(published_at=60, attempt=1))],
        [*TWO_JOBS, *marked(3, 60, SWEPT, OTHER._replace(published_at=60, attempt=0))],
        3,
        "recover()",
        ("attempt", "0", "1"),
        by="the sweep",
        job="j2",
        at=60,
    ),
    *(
        writes(
            f"the sweep marks a job that is {what}",
            [*created(), *before, *marked(3, 60, row)],
            [*created(), *marked(3, 60, SWEPT)],
            3,
            "recover()",
            ("published_at", was, "60"),
            by="the sweep",
            at=60,
        )
        for what, before, row, was in (
            ("RUNNING", prepared(2), running()._replace(published_at=60), "None"),
            ("published", PUBLISHED, SWEPT, "0"),
        )
    ),
    writes(
        "the sweep marks a job that is too young by a second",
        [*created(), *marked(2, 59, PENDING._replace(published_at=59))],
        [*created(), *marked(2, 60, SWEPT)],
        2,
        "recover()",
        ("published_at", "None", "59"),
        by="the sweep",
        at=59,
    ),
    Case(
        "told yes, and nothing is written",
        WRITES,
        breaks=[*GIVEN_TO_A, *call(3, "complete", attempt=1)],
        expected=violation(
            WRITES,
            3,
            0,
            "worker A was told that complete(j1, attempt 1) is done, and nothing was written.",
            ("status", "DONE", "RUNNING"),
        ),
        near_miss=completed_again(answer=YES),
    ),
)
