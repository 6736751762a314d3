"""The judge itself: every claim can fail and can pass, a crashed one stops, and one failure is named."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from statemachine.history.events import Event, Observed
from statemachine.history.ledger import Ledger
from statemachine.invariants import ALL, Crashed, Invariant
from statemachine.invariants.claim import HELD, Judgements, broken, invariant
from statemachine.invariants.drain import every_job_ends
from statemachine.invariants.judge import judge
from tests.invariants import (
    cases_attempts,
    cases_closes,
    cases_creation,
    cases_drain,
    cases_faults,
    cases_hurried,
    cases_leases,
    cases_lifecycles,
    cases_messages,
    cases_neighbours,
    cases_overlapping_takeovers,
    cases_overlaps,
    cases_publishing,
    cases_refused_deliveries,
    cases_renewals,
    cases_rows,
    cases_skew,
    cases_table,
)
from tests.support.events import (
    NO,
    OURS,
    Case,
    call,
    created,
    delete_requested,
    delivered,
    done,
    failed,
    finished,
    prepared,
    sent,
)

MODULES = (
    cases_creation,
    cases_rows,
    cases_leases,
    cases_attempts,
    cases_messages,
    cases_refused_deliveries,
    cases_hurried,
    cases_drain,
    cases_table,
    cases_overlaps,
    cases_overlapping_takeovers,
    cases_faults,
    cases_publishing,
    cases_neighbours,
    cases_renewals,
    cases_closes,
    cases_lifecycles,
    cases_skew,
)
CASES = tuple(case for module in MODULES for case in module.CASES)


def without_cases(claims: Iterable[Invariant]) -> list[str]:
    shown = {case.claim.name for case in CASES if case.breaks and case.near_miss}
    return [claim.name for claim in claims if claim.name not in shown]


@invariant(Observed, section="nowhere")
def nothing_is_seen(ledger: Ledger, event: Observed) -> Judgements:
    """A claim that every history with a row breaks."""
    yield broken("j1", "a row was seen.")


@invariant(Observed, section="nowhere")
def it_chokes_on_attempt_1(ledger: Ledger, event: Observed) -> Judgements:
    """A claim with a bug in it."""
    yield HELD
    if ledger.rows["j1"].attempt == 1:
        raise ZeroDivisionError("by attempt 1")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_history_breaks_the_claim(case: Case) -> None:
    assert case.broken.violations == [case.expected]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_near_miss_is_legal_and_judged_as_often_as_due(case: Case) -> None:
    assert case.legal.violations == []
    assert case.legal.judged[case.claim.name] in case.judged


def test_an_example_without_jobs_may_end_quietly() -> None:
    assert judge(OURS, [every_job_ends], cases_drain.ended()).violations == []


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_every_claim_has_a_history_that_breaks_it_and_a_near_miss(claim: Invariant) -> None:
    assert without_cases([claim]) == []


def test_a_new_claim_without_cases_is_noticed() -> None:
    assert without_cases([*ALL, nothing_is_seen]) == ["nothing_is_seen"]


def test_names_of_cases_are_distinct() -> None:
    assert len({str(case) for case in CASES}) == len(CASES)


def test_a_claim_that_crashes_stops_judging_and_the_others_go_on() -> None:
    events = [*created(), *prepared(2), *finished(3, "complete", done())]
    claims = [it_chokes_on_attempt_1, nothing_is_seen]
    seen = judge(OURS, claims, events)
    choked_on = next(event for event in events if isinstance(event, Observed) and event.call == 2)
    assert seen.crashed == [
        Crashed("it_chokes_on_attempt_1", "ZeroDivisionError: by attempt 1", repr(choked_on))
    ]
    assert seen.judged == {"it_chokes_on_attempt_1": 2, "nothing_is_seen": 3}
    assert [found.step for found in seen.violations] == [1, 2, 3]


def test_no_violation_no_headline() -> None:
    assert judge(OURS, ALL, created()).headline() is None


def test_the_earliest_broken_step_outranks_the_order_of_blame() -> None:
    lie_at_2 = call(2, "prepare", answer=NO)
    created_again_at_3 = call(3, "create", "application")
    found = judge(OURS, ALL, [*created(), *lie_at_2, *created_again_at_3])
    assert [(seen.step, seen.invariant) for seen in found.violations] == [
        (2, "operations_answer_by_the_table"),
        (3, "a_job_is_created_once"),
        (3, "operations_answer_by_the_table"),
        (3, "operations_write_by_the_table"),
    ]
    assert found.headline() == found.violations[0]


def test_the_order_of_blame_outranks_the_order_of_events_within_a_step() -> None:
    """The message is deleted first, then a row of the same step breaks a claim that is blamed before."""
    *began, seen, answered = finished(2, "fail", failed(0))
    events: list[Event] = [*created(), sent(), delivered(), *began, delete_requested(), seen, answered]
    found = judge(OURS, ALL, events)
    assert found.violations[0].invariant == "messages_outlive_unfinished_jobs"
    headline = found.headline()
    assert headline is not None
    assert (headline.step, headline.invariant) == (2, "only_the_holder_finishes")
