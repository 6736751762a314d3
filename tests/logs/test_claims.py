"""Each claim that logs are judged by: lines that break it, with what is reported, and a near miss.

The logs are literal and short.  Of every broken one the claims that fire, and the line that each cites,
are compared whole: a claim that fires besides is as much an error as one that is silent.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from statemachine.invariants import IN_LOGS
from statemachine.logs import JudgedLog
from tests.logs.writing import (
    LEASE,
    VISIBILITY,
    Values,
    accepted,
    called,
    created,
    deleting,
    finished,
    judged,
    killed,
    moment,
    prepared,
    received,
    refused,
    row,
    rows_read,
    say,
    sent,
    turned_down,
)

Log = list[Values | list[Values]]

BEGUN: Log = [created(), sent(), received(1), prepared(2)]
LIFE: Log = [*BEGUN, finished(10), deleting(11)]
LATE = 3 + LEASE
"""A second after the first lease has ended."""
TAKEN_OVER: Log = [*BEGUN, received(LATE, "B", receipt="r2"), prepared(LATE, "B", 2)]
DRAINED: Log = [say(LATE + 1, "drain.began", "operator")]
END = say(9 * LEASE, "drain.ended", "operator", stuck="")


def extended(at: float, to: float, by: str = "B") -> Values:
    return say(at, "visibility.extended", by, message_id="m1", receipt="r1", visible_until=moment(to))


class Case(NamedTuple):
    """``breaks`` gives the claims that the log breaks, each with the line that shows it."""

    claim: str
    log: Log
    breaks: dict[str, int]
    near_miss: Log


TABLE = "operations_answer_by_the_table"
CASES = [
    Case(
        "a_job_is_created_once",
        [created(), created(1)],
        {"a_job_is_created_once": 2, TABLE: 2},
        # The line of its creation may come after the first that a worker writes of the job.
        [received(1), prepared(2), created(3), finished(10), deleting(11)],
    ),
    Case(
        "tenants_never_mix",
        [created(), called(1, tenant="t2"), accepted(2) | {"tenant_id": "t2"}],
        {"tenants_never_mix": 3, TABLE: 3},
        [*LIFE, called(12, tenant="t2"), turned_down(12, "A", "no such job")[1] | {"tenant_id": "t2"}],
    ),
    Case(
        "one_holder_at_a_time",
        [*BEGUN, received(3, "B"), prepared(4, "B", 2)],
        {"one_holder_at_a_time": 8, "transitions_are_legal": 8, TABLE: 8},
        [*TAKEN_OVER, finished(LATE + 5, by="B", attempt=2)],
    ),
    Case(
        "only_the_holder_finishes",
        [*TAKEN_OVER, finished(LATE + 5, by="A", attempt=1)],
        {"only_the_holder_finishes": 10, TABLE: 10},
        [*TAKEN_OVER, finished(LATE + 5, by="A", attempt=1, answer="refused")],
    ),
    Case(
        "terminal_jobs_never_change",
        [*LIFE, prepared(20, "B", 2)],
        {"terminal_jobs_never_change": 10, "transitions_are_legal": 10, TABLE: 10},
        [*LIFE, received(20, "B"), turned_down(21, "B", "ended"), deleting(22, "B")],
    ),
    Case(
        "a_job_completes_at_most_once",
        [*TAKEN_OVER, finished(LATE + 5, by="B", attempt=2), finished(LATE + 6, by="A", attempt=1)],
        {"a_job_completes_at_most_once": 12, TABLE: 12},
        # The same attempt is answered again: it lost the first answer, and that is legal.
        [*BEGUN, finished(10), finished(12)],
    ),
    Case(
        "a_lease_lasts_its_declared_length",
        [created(), called(1), accepted(2, since=1.5, lease=LEASE - 1)],
        {"a_lease_lasts_its_declared_length": 3},
        [created(), called(1), accepted(2, since=1)],
    ),
    Case(
        "an_expired_lease_can_be_taken_over",
        [*BEGUN, received(LATE, "B"), turned_down(LATE + 1)],
        {"an_expired_lease_can_be_taken_over": 8, TABLE: 8},
        # Its call came before the edge, its answer after it.
        [*BEGUN, received(LEASE, "B"), called(LEASE + 2, "B"), refused(LEASE + 2.06, "B")],
    ),
    Case(
        "attempts_count_acquisitions",
        [*BEGUN, finished(10, "release"), prepared(20, "A", 1)],
        {"attempts_count_acquisitions": 9},
        [*BEGUN, finished(10, "release"), prepared(20, "A", 2)],
    ),
    Case(
        "transitions_are_legal",
        [created(), finished(10, attempt=0)],
        {"only_the_holder_finishes": 3, "transitions_are_legal": 3, TABLE: 3},
        [created(), finished(10, attempt=0, answer="refused")],
    ),
    Case(
        "messages_outlive_unfinished_jobs",
        [*BEGUN, received(3, "B"), turned_down(4), deleting(5, "B", why="idempotent skip")],
        {"messages_outlive_unfinished_jobs": 9},
        [*BEGUN, received(3, "B"), turned_down(4), finished(10), deleting(11)],
    ),
    Case(
        "a_refused_delivery_waits",
        [*BEGUN, received(3, "B"), turned_down(4), extended(5, 100)],
        {"a_refused_delivery_waits": 9, "messages_are_not_hurried": 9},
        [*BEGUN, received(3, "B"), turned_down(4), extended(5, LATE)],
    ),
    Case(
        "messages_are_not_hurried",
        [*BEGUN, finished(10, "release"), extended(11, 12, "A")],
        {"messages_are_not_hurried": 8},
        [*BEGUN, finished(10, "release"), extended(11, 1 + VISIBILITY, "A")],
    ),
    Case(
        "every_job_ends",
        [*BEGUN, killed(3), *DRAINED, END],
        {"every_job_ends": 8, "ended_jobs_leave_no_message": 8, "a_killed_job_is_reprocessed_once": 8},
        [*LIFE, *DRAINED, END],
    ),
    Case(
        "ended_jobs_leave_no_message",
        [*BEGUN, finished(10), *DRAINED, END],
        {"ended_jobs_leave_no_message": 9},
        [*BEGUN, finished(10), deleting(11), *DRAINED, END],
    ),
    Case(
        "a_killed_job_is_reprocessed_once",
        [
            *[*BEGUN, killed(3), *DRAINED, received(LATE + 2, "B"), prepared(LATE + 3, "B", 2)],
            *[finished(LATE + 4, "release", "B", 2), prepared(LATE + 5, "B", 3)],
            *[finished(LATE + 6, by="B", attempt=3), deleting(LATE + 7, "B"), END],
        ],
        {"a_killed_job_is_reprocessed_once": 18},
        [
            *[*BEGUN, killed(3), *DRAINED, received(LATE + 2, "B"), prepared(LATE + 3, "B", 2)],
            *[finished(LATE + 6, by="B", attempt=2), deleting(LATE + 7, "B"), END],
        ],
    ),
    Case(
        "rows_match_the_answers",
        [*LIFE, rows_read(20, row("DONE", 1, results=2))],
        {"rows_match_the_answers": 9},
        [*LIFE, rows_read(20, row("DONE", 1, results=1))],
    ),
    Case(
        TABLE,
        [created(), turned_down(1)],
        {TABLE: 3},
        [created(), prepared(1)],
    ),
]


def broken(result: JudgedLog) -> dict[str, int]:
    return {cited.violation.invariant: cited.line.place.number for cited in result.violations}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_the_log_breaks_the_claim(case: Case) -> None:
    assert broken(judged(*case.log)) == case.breaks


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_the_near_miss_is_clean_and_was_judged(case: Case) -> None:
    result = judged(*case.near_miss)
    assert broken(result) == {}
    assert result.counts["unexplained"] == 0


def test_there_is_a_case_for_every_claim() -> None:
    assert {case.claim for case in CASES} == {claim.name for claim in IN_LOGS}


@pytest.mark.parametrize(
    ("found", "compared"),
    [
        (row("FAILED", 1), [("status", "DONE", "FAILED"), ("result rows", "1", "0")]),
        (row("DONE", 2, 1), [("attempt", "1", "2")]),
        (row("DONE", 1, 1, lease=LEASE), [("lease_expires_at", "NULL", "3540")]),
    ],
)
def test_a_differing_row_is_reported_with_the_field_that_differs(
    found: Values, compared: list[tuple[str, str, str]]
) -> None:
    (cited,) = judged(*LIFE, rows_read(20, found)).violations
    assert [tuple(line) for line in cited.violation.compared] == compared


def test_every_count_of_one_plain_job() -> None:
    result = judged(*LIFE)
    assert result.judged == {
        "a_job_is_created_once": 1,
        "one_holder_at_a_time": 1,
        "only_the_holder_finishes": 1,
        "terminal_jobs_never_change": 1,
        "a_job_completes_at_most_once": 1,
        "a_lease_lasts_its_declared_length": 1,
        "attempts_count_acquisitions": 2,
        "transitions_are_legal": 3,
        "messages_outlive_unfinished_jobs": 1,
        "messages_are_not_hurried": 1,
        TABLE: 3,
    }
    assert (result.jobs, result.ended_once, result.ended_again, result.begun_before) == (1, 1, 0, 0)
    assert (result.acquisitions, result.takeovers) == (1, 0)
    assert result.verdict == "PASS"


def test_of_many_failures_the_shortest_is_kept_and_the_others_are_counted() -> None:
    (cited,) = judged(
        *[created(job="long"), sent(job="long"), turned_down(1, job="long")],
        *[created(2, job="short"), turned_down(3, job="short")],
        *[created(4, job="other"), turned_down(5, job="other")],
    ).violations
    assert (cited.violation.subject, cited.others) == ("short", 2)
    assert [str(place) for place in cited.trail] == ["log:5", "log:6", "log:7"]
