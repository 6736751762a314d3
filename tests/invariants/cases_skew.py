"""Workers whose clocks are wrong: each lease counts by the clock of the one who writes or asks."""

from __future__ import annotations

from statemachine.history.events import Event
from statemachine.invariants import leases, messages, table
from tests.support.events import (
    LEASE,
    NO,
    RENEWS,
    Case,
    call,
    clock,
    created,
    delivered,
    exactly,
    made_visible,
    prepared,
    running,
    sent,
    skewed,
    step,
    violation,
)

AHEAD, BEHIND = 20, -20


def prepared_by_its_own_clock(skew: float, until: float) -> list[Event]:
    return [*created(), skewed("A", skew), *call(2, "prepare", leaves=[running(1, until)], told=1)]


GIVEN_TO_A = [*created(), sent(), delivered(), *prepared(2)]


def asked_by_skewed_b(skew: float, at: float, *, granted: bool) -> list[Event]:
    """Worker B, whose clock is wrong, asks at second ``at`` for what A was given at second 0."""
    row = running(2, at + skew + LEASE)
    asked = (
        call(3, "prepare", "B", at, leaves=[row], told=2)
        if granted
        else call(3, "prepare", "B", at, answer=NO)
    )
    return [*GIVEN_TO_A, skewed("B", skew), clock(at), *asked]


def mistimed(name: str, until: float, length: str) -> Case:
    """A worker 20 s ahead takes a job at second 0, its own second 20."""
    return Case(
        name,
        leases.a_lease_lasts_its_declared_length,
        breaks=prepared_by_its_own_clock(AHEAD, until),
        expected=violation(
            leases.a_lease_lasts_its_declared_length,
            2,
            0,
            f"worker A left j1 with a lease of {length} s.",
            ("lease", "3540 s", f"{length} s"),
            ("lease_expires_at", "3560", str(until)),
        ),
        near_miss=prepared_by_its_own_clock(AHEAD, 3560),
        judged=exactly(1),
    )


def taken_too_early(name: str, skew: float, at: float, edge: float) -> Case:
    return Case(
        name,
        leases.one_holder_at_a_time,
        breaks=asked_by_skewed_b(skew, at, granted=True),
        expected=violation(
            leases.one_holder_at_a_time,
            3,
            at,
            "worker B acquired j1 while worker A held a live lease.",
            ("prepare(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3540", "taken at 3539"),
        ),
        near_miss=asked_by_skewed_b(skew, edge, granted=True),
        judged=exactly(2),
    )


def refused_too_late(name: str, skew: float, at: float, before: float) -> Case:
    return Case(
        name,
        leases.an_expired_lease_can_be_taken_over,
        breaks=asked_by_skewed_b(skew, at, granted=False),
        expected=violation(
            leases.an_expired_lease_can_be_taken_over,
            3,
            at,
            "worker B was not given j1, whose lease expired at 3540.",
            ("prepare(j1) at 3540", "accepted (takeover)", "refused"),
        ),
        near_miss=[
            *asked_by_skewed_b(skew, before, granted=False),
            *prepared(4, "C", max(LEASE, before), attempt=2),
        ],
        judged=exactly(1),
    )


def refused_then_visible(from_: float) -> list[Event]:
    """Worker B, 20 s ahead, was refused at 10 s and makes the message visible at ``from_``."""
    refused = call(3, "prepare", "B", 10, answer=NO)
    return [
        *GIVEN_TO_A,
        skewed("B", AHEAD),
        delivered(to="B", at=10),
        *refused,
        step(4),
        made_visible(from_, by="B", at=10),
    ]


def renewed_by_skewed_a(until: float) -> list[Event]:
    renewed = call(3, "renew", at=100, attempt=1, leaves=[running(1, until)])
    return [*GIVEN_TO_A, skewed("A", BEHIND), *renewed]


CASES = (
    mistimed("a lease counts by the clock of the worker who takes it, not by ours", 3540, "3520"),
    mistimed("nor is a wrong clock a reason for a longer lease", 3600, "3580"),
    taken_too_early("a worker that is ahead takes over when its own clock says so", AHEAD, 3519, 3520),
    taken_too_early("a worker that is behind takes over later than others", BEHIND, 3559, 3560),
    refused_too_late("a worker that is ahead is refused up to its own edge", AHEAD, 3520, 3519),
    refused_too_late("a worker that is behind is refused up to its own edge", BEHIND, 3560, 3559),
    Case(
        "a refused worker can only wait by its own clock",
        messages.a_refused_delivery_waits,
        breaks=refused_then_visible(3519),
        expected=violation(
            messages.a_refused_delivery_waits,
            4,
            10,
            "worker B was refused j1 and made its message visible again 21 s before the holder's lease ends.",
            ("message m1 visible", "from 3540 on", "3519"),
        ),
        near_miss=refused_then_visible(3520),
        judged=exactly(2),
    ),
    Case(
        "a renewal counts by the clock of the worker who renews",
        table.operations_write_by_the_table,
        breaks=renewed_by_skewed_a(100 + LEASE),
        expected=violation(
            table.operations_write_by_the_table,
            3,
            100,
            "worker A called renew(j1, attempt 1) and left j1 as the table does not allow.",
            ("lease_expires_at", "3620", "3640"),
        ),
        near_miss=renewed_by_skewed_a(80 + LEASE),
        lifecycle=RENEWS,
    ),
)
