"""All claims on one history: a legal life breaks none, a defect breaks exactly those that speak of it."""

from __future__ import annotations

import pytest

from statemachine.history.events import (
    DeadLettered,
    DrainBegan,
    DrainEnded,
    Event,
    MessageCameBack,
    PublicationLost,
    Redriven,
)
from statemachine.invariants import ALL
from statemachine.invariants.judge import judge
from statemachine.lifecycle import JobRow, Operation
from tests.invariants.test_judge import CASES
from tests.support.events import (
    LEASE,
    NO,
    OURS,
    PENDING,
    TAKEN,
    Case,
    call,
    clock,
    created,
    delete_requested,
    delivered,
    done,
    failed,
    finished,
    invoked,
    made_visible,
    observed,
    others,
    prepared,
    running,
    sent,
    step,
    swept,
)

ORDER_OF_BLAME = [claim.name for claim in ALL]

GIVEN_TO_A = [*created(), sent(), delivered(to="A"), *prepared(2)]
REFUSED_TO_B = [delivered(to="B", at=10), *call(3, "prepare", "B", 10, answer=NO)]

LEGAL_LIFE = [
    others("(0, None)"),
    *GIVEN_TO_A,
    *REFUSED_TO_B,
    made_visible(LEASE, by="B", at=10),
    *call(4, "create", "application", at=10, answer=TAKEN),
    clock(LEASE),
    *call(5, "prepare", "stray", LEASE, tenant="t2", answer=NO),
    *call(6, "fail", "stray", LEASE, attempt=0, answer=NO),
    *swept(7, LEASE),
    delivered(to="B", at=LEASE),
    *prepared(8, "B", LEASE, attempt=2),
    DrainBegan(LEASE),
    *call(9, "complete", "A", LEASE, attempt=1, answer=NO),
    *finished(10, "complete", done(2), "B", LEASE),
    delete_requested(by="B", at=LEASE),
    others("(0, None)", LEASE),
    DrainEnded(LEASE),
]
"""B is refused a duplicate and waits, takes over at the edge, and A comes too late."""

SENT_BEFORE_THE_LOG_BEGAN: list[Event] = [
    delivered("m9", to="B"),
    made_visible(10, "m9", by="B"),
    delete_requested("m9", by="B"),
    MessageCameBack(0, "m9"),
    DeadLettered(0, "m9"),
    Redriven(0, "m9", "m10"),
    delivered("m10", to="B"),
    delete_requested("m10", by="B"),
]

TABLE = ["operations_answer_by_the_table", "operations_write_by_the_table"]
DEFECTS: dict[str, tuple[list[Event], list[str]]] = {
    "running_job_reentered": (
        [*GIVEN_TO_A, *prepared(3, "B", LEASE - 1, attempt=2)],
        ["one_holder_at_a_time", "transitions_are_legal", *TABLE],
    ),
    "refused_delivery_deletes_message": (
        [*GIVEN_TO_A, *REFUSED_TO_B, delete_requested(by="B", at=10)],
        ["messages_outlive_unfinished_jobs", "no_job_is_stranded"],
    ),
    "completion_without_token": (
        [
            *GIVEN_TO_A,
            *prepared(3, "B", LEASE, 2),
            *call(4, "complete", "A", LEASE, attempt=1, leaves=[done(2)]),
        ],
        ["only_the_holder_finishes", *TABLE],
    ),
    "done_overwritten_by_failed": (
        [*GIVEN_TO_A, *finished(3, "complete", done()), *finished(4, "fail", failed())],
        [
            "a_result_is_written_once",
            "terminal_jobs_never_change",
            "a_job_completes_at_most_once",
            "transitions_are_legal",
            *TABLE,
        ],
    ),
    "lease_as_long_as_visibility": (
        [*created(), sent(), *call(2, "prepare", leaves=[running(until=3600)], told=1)],
        ["a_lease_lasts_its_declared_length", "operations_write_by_the_table"],
    ),
    "lease_edge_excluded": (
        [*GIVEN_TO_A, clock(LEASE), *call(3, "prepare", "B", LEASE, answer=NO)],
        ["an_expired_lease_can_be_taken_over", "operations_answer_by_the_table"],
    ),
}
"""By the names in ``models_under_test/defects``: the shortest history of each, and all that it breaks."""


def test_a_legal_life_breaks_nothing_and_every_claim_judges_it() -> None:
    found = judge(OURS, ALL, LEGAL_LIFE)
    assert (found.violations, found.crashed) == ([], [])
    assert found.judged == {
        "a_job_is_created_once": 2,
        "tenants_never_mix": 1,
        "an_operation_touches_only_its_job": 5,
        "published_means_committed": 1,
        "recovery_sends_only_unsent_jobs": 1,
        "one_holder_at_a_time": 2,
        "only_the_holder_finishes": 1,
        "terminal_jobs_never_change": 1,
        "a_result_is_written_once": 1,
        "a_job_completes_at_most_once": 1,
        "a_lease_lasts_its_declared_length": 2,
        "running_means_leased": 4,
        "an_expired_lease_can_be_taken_over": 1,
        "attempts_count_acquisitions": 4,
        "transitions_are_legal": 4,
        "messages_outlive_unfinished_jobs": 1,
        "a_refused_delivery_waits": 2,
        "messages_are_not_hurried": 5,
        "no_job_is_stranded": 3,
        "every_job_ends": 1,
        "ended_jobs_leave_no_message": 1,
        "a_killed_job_is_reprocessed_once": 1,
        "operations_answer_by_the_table": 10,
        "operations_write_by_the_table": 8,
    }
    assert set(found.judged) == set(ORDER_OF_BLAME)


def test_a_sweep_acts_in_no_tenants_name() -> None:
    events = [
        *created(),
        PublicationLost(0, "j1"),
        clock(60),
        step(2),
        invoked(2, "recover", "sweep", 60, job="", tenant=""),
        sent(),
        observed(2, PENDING._replace(published_at=60), at=60),
    ]
    assert judge(OURS, ALL, events).violations == []


@pytest.mark.parametrize(("history", "blamed"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_breaks_exactly_the_claims_that_speak_of_it(history: list[Event], blamed: list[str]) -> None:
    found = {seen.invariant for seen in judge(OURS, ALL, history).violations}
    assert sorted(found, key=ORDER_OF_BLAME.index) == blamed


@pytest.mark.parametrize("before", [[], created(), GIVEN_TO_A], ids=["nothing", "a job", "a holder"])
def test_messages_that_were_sent_before_the_log_began_are_passed_over(before: list[Event]) -> None:
    known, more = judge(OURS, ALL, before), judge(OURS, ALL, [*before, *SENT_BEFORE_THE_LOG_BEGAN])
    assert (more.violations, more.crashed) == ([], [])
    assert more.judged == known.judged
    assert more.ledger.messages == known.ledger.messages
    assert more.ledger.deliveries == known.ledger.deliveries


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_claim_crashes_on_what_breaks_another(case: Case) -> None:
    assert judge(case.lifecycle, ALL, case.breaks).crashed == []
    assert judge(case.lifecycle, ALL, case.near_miss).crashed == []


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("before", [PENDING, running(), done()], ids=lambda row: row.status)
def test_no_claim_crashes_on_a_row_that_comes_or_goes(operation: Operation, before: JobRow) -> None:
    unknown_job = call(1, operation, answer=NO)
    events = [*unknown_job, step(2), invoked(2, operation), observed(2, before), observed(2, gone=("j1",))]
    assert judge(OURS, ALL, events).crashed == []
