"""Leases to the second: how long each lasts, who may take a job, and when."""

from __future__ import annotations

from statemachine.history.events import Event
from statemachine.invariants import leases
from statemachine.lifecycle import JobRow
from tests.support.events import (
    LEASE,
    NO,
    Case,
    call,
    created,
    done,
    finished,
    prepared,
    retrying,
    running,
    struck,
    violation,
)

MARKED = running()._replace(published_at=0)
GIVEN_TO_A = [*created(), *prepared(2)]


def taken_over(at: float) -> list[Event]:
    return [*GIVEN_TO_A, *prepared(3, "B", at, attempt=2)]


def taken_again_after(first_end: list[Event]) -> list[Event]:
    return [*GIVEN_TO_A, *first_end, *prepared(4, "B", 10, attempt=2)]


def stray_acquisition(at: float) -> list[Event]:
    """The row says that its lease lasts 60 s, and its acquisition that it lasts 3540 s."""
    first = call(2, "prepare", leaves=[running(until=60)], told=1)
    return [*created(), *first, *call(3, "mark_running", "stray", at, leaves=[running(2)], told=2)]


def refused_then_given(refused_at: float) -> list[Event]:
    """Worker B asks twice and the second time, at the edge of the lease, it gets the job."""
    refused = call(3, "prepare", "B", refused_at, answer=NO)
    return [*GIVEN_TO_A, *refused, *prepared(4, "B", LEASE, attempt=2)]


def error_then_given(*fault: Event) -> list[Event]:
    began, asked, error = call(3, "prepare", "B", LEASE, answer="OperationalError: gone away")
    return [*GIVEN_TO_A, began, asked, *fault, error, *prepared(4, "B", LEASE, attempt=2)]


def acquired(row: JobRow) -> list[Event]:
    """One acquisition that leaves ``row``; its caller dies before the answer."""
    return [*created(), *call(2, "prepare", leaves=[row], answer=None)]


UNLEASED = running()._replace(lease_expires_at=None)

CASES = (
    Case(
        "a takeover at 3539",
        leases.one_holder_at_a_time,
        breaks=taken_over(LEASE - 1),
        expected=violation(
            leases.one_holder_at_a_time,
            3,
            3539,
            "worker B acquired j1 while worker A held a live lease.",
            ("prepare(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "taken at 3539"),
        ),
        near_miss=taken_over(LEASE),
    ),
    Case(
        "only an acquisition takes a job",
        leases.one_holder_at_a_time,
        breaks=[*GIVEN_TO_A, *call(3, "mark_running", "stray", leaves=[MARKED])],
        expected=violation(
            leases.one_holder_at_a_time,
            3,
            0,
            "a stray call acquired j1 while worker A held a live lease.",
            ("mark_running(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "taken at 0"),
        ),
        near_miss=[*GIVEN_TO_A, *call(3, "publish", "publisher", leaves=[MARKED])],
    ),
    Case(
        "a lease counts from its acquisition, whatever the row says",
        leases.one_holder_at_a_time,
        breaks=stray_acquisition(at=60),
        expected=violation(
            leases.one_holder_at_a_time,
            3,
            60,
            "a stray call acquired j1 while worker A held a live lease.",
            ("mark_running(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "taken at 60"),
        ),
        near_miss=stray_acquisition(at=LEASE),
    ),
    Case(
        "a release ends the lease, a refused one does not",
        leases.one_holder_at_a_time,
        breaks=taken_again_after(call(3, "release", attempt=1, answer=NO)),
        expected=violation(
            leases.one_holder_at_a_time,
            4,
            10,
            "worker B acquired j1 while worker A held a live lease.",
            ("prepare(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "taken at 10"),
        ),
        near_miss=taken_again_after(finished(3, "release", retrying())),
    ),
    Case(
        "a refusal at 3540",
        leases.an_expired_lease_can_be_taken_over,
        breaks=refused_then_given(refused_at=LEASE),
        expected=violation(
            leases.an_expired_lease_can_be_taken_over,
            3,
            3540,
            "worker B was not given j1, whose lease expired at 3540.",
            ("prepare(j1) at 3540", "accepted (takeover)", "refused"),
        ),
        near_miss=refused_then_given(refused_at=LEASE - 1),
    ),
    Case(
        "an error without a fault",
        leases.an_expired_lease_can_be_taken_over,
        breaks=error_then_given(),
        expected=violation(
            leases.an_expired_lease_can_be_taken_over,
            3,
            3540,
            "worker B was not given j1, whose lease expired at 3540.",
            ("prepare(j1) at 3540", "accepted (takeover)", "OperationalError: gone away"),
        ),
        near_miss=error_then_given(struck(3, LEASE)),
    ),
    Case(
        "as long as the visibility timeout",
        leases.a_lease_lasts_its_declared_length,
        breaks=acquired(running(until=3600)),
        expected=violation(
            leases.a_lease_lasts_its_declared_length,
            2,
            0,
            "worker A left j1 with a lease of 3600 s.",
            ("lease", "3540 s", "3600 s"),
            ("lease_expires_at", "3540", "3600"),
        ),
        near_miss=acquired(running(until=3540)),
    ),
    Case(
        "a takeover keeps the old expiry",
        leases.a_lease_lasts_its_declared_length,
        breaks=[*GIVEN_TO_A, *call(3, "prepare", "B", LEASE, leaves=[running(2, LEASE)])],
        expected=violation(
            leases.a_lease_lasts_its_declared_length,
            3,
            3540,
            "worker B left j1 with a lease of 0 s.",
            ("lease", "3540 s", "0 s"),
            ("lease_expires_at", "7080", "3540"),
        ),
        near_miss=[*GIVEN_TO_A, *call(3, "prepare", "B", LEASE, leaves=[running(2, 2 * LEASE)])],
    ),
    *(
        Case(
            name,
            leases.running_means_leased,
            breaks=acquired(row),
            expected=violation(
                leases.running_means_leased,
                2,
                0,
                f"worker A left j1 {row.status} with locked_by {holder} and lease_expires_at {expiry}.",
                ("locked_by", due, holder),
                ("lease_expires_at", due, expiry),
            ),
            near_miss=acquired(legal),
        )
        for name, row, legal, due, holder, expiry in (
            ("RUNNING without expiry", UNLEASED, running(), "set", "w", "NULL"),
            ("RUNNING for nobody", running()._replace(locked_by=None), running(), "set", "NULL", "3540"),
            ("DONE and still locked", done()._replace(locked_by="w"), done(), "NULL", "w", "NULL"),
            ("RETRYING, leased", running()._replace(status="RETRYING"), retrying(), "NULL", "w", "3540"),
        )
    ),
)
