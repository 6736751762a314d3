"""Systems that renew leases: from when a renewed lease counts, and who may renew one."""

from __future__ import annotations

from dataclasses import replace

from statemachine.history.events import Event
from statemachine.invariants import leases, rows, table
from statemachine.lifecycle import Answer, JobRow
from tests.support.events import (
    LEASE,
    NO,
    RENEWS,
    YES,
    Case,
    call,
    clock,
    created,
    done,
    exactly,
    finished,
    prepared,
    running,
    violation,
)

GIVEN_TO_A = [*created(), *prepared(2)]
TAKEN_OVER = [*GIVEN_TO_A, clock(LEASE), *prepared(3, "B", LEASE, attempt=2)]
STRICTLY = replace(RENEWS, late_completion=Answer.REFUSED)
ANSWERS, WRITES = table.operations_answer_by_the_table, table.operations_write_by_the_table


def renewed(number: int, at: float, lease: float = LEASE, attempt: int = 1) -> list[Event]:
    """Attempt 1 renews its lease, and leaves one of ``lease`` seconds for ``attempt``."""
    return call(number, "renew", "A", at, attempt=1, leaves=[running(attempt, at + lease)])


def renewed_then(*events: Event, at: float = 100) -> list[Event]:
    return [*GIVEN_TO_A, *renewed(3, at), *events]


def superseded(answer: Answer, *leaves: JobRow) -> list[Event]:
    """Attempt 1 asks for a renewal when attempt 2 has taken the job over."""
    return [*TAKEN_OVER, *call(4, "renew", "A", LEASE + 1, attempt=1, leaves=leaves, answer=answer)]


def late_renewal(answer: Answer, at: float = LEASE) -> list[Event]:
    leaves = [running(1, at + LEASE)] if answer is YES else []
    return [*GIVEN_TO_A, clock(at), *call(3, "renew", "A", at, attempt=1, leaves=leaves, answer=answer)]


def answered_late(name: str, breaks: list[Event], near_miss: list[Event], due: str, *, strict: bool) -> Case:
    got = "refused" if due == "accepted" else "accepted"
    expected = violation(
        ANSWERS,
        3,
        LEASE,
        f"worker A called renew(j1, attempt 1) in the situation 'RUNNING, lease expired' and got {got}.",
        ("renew(j1, attempt 1)", due, got),
    )
    return Case(name, ANSWERS, breaks, expected, near_miss, STRICTLY if strict else RENEWS)


CASES = (
    Case(
        "a renewed lease lasts as long as any, from its renewal",
        leases.a_lease_lasts_its_declared_length,
        breaks=[*GIVEN_TO_A, *renewed(3, 100, lease=3600)],
        expected=violation(
            leases.a_lease_lasts_its_declared_length,
            3,
            100,
            "worker A left j1 with a lease of 3600 s.",
            ("lease", "3540 s", "3600 s"),
            ("lease_expires_at", "3640", "3700"),
        ),
        near_miss=renewed_then(),
        lifecycle=RENEWS,
        judged=exactly(2),
    ),
    Case(
        "a renewed lease is live until its new end",
        leases.one_holder_at_a_time,
        breaks=renewed_then(*prepared(4, "B", LEASE + 99, attempt=2)),
        expected=violation(
            leases.one_holder_at_a_time,
            4,
            LEASE + 99,
            "worker B acquired j1 while worker A held a live lease.",
            ("prepare(j1)", "refused (lease live)", "accepted"),
            ("lease of attempt", "1, live until 3640", "taken at 3639"),
        ),
        near_miss=renewed_then(*prepared(4, "B", LEASE + 100, attempt=2)),
        lifecycle=RENEWS,
        judged=exactly(2),
    ),
    Case(
        "a renewed lease can be taken over at its new end",
        leases.an_expired_lease_can_be_taken_over,
        breaks=renewed_then(*call(4, "prepare", "B", LEASE + 100, answer=NO)),
        expected=violation(
            leases.an_expired_lease_can_be_taken_over,
            4,
            LEASE + 100,
            "worker B was not given j1, whose lease expired at 3640.",
            ("prepare(j1) at 3640", "accepted (takeover)", "refused"),
        ),
        near_miss=renewed_then(
            *call(4, "prepare", "B", LEASE + 99, answer=NO), *prepared(5, "B", LEASE + 100, attempt=2)
        ),
        lifecycle=RENEWS,
        judged=exactly(1),
    ),
    Case(
        "a renewal by an attempt that was superseded",
        leases.only_the_holder_finishes,
        breaks=superseded(YES, running(2, 2 * LEASE + 1)),
        expected=violation(
            leases.only_the_holder_finishes,
            4,
            LEASE + 1,
            "worker A renewed job j1 while worker B held the lease.",
            ("renew(j1) with attempt 1", "refused", "accepted"),
            ("status / attempt", "RUNNING / 2", "RUNNING / 2"),
        ),
        near_miss=[*superseded(NO), *call(5, "renew", "B", LEASE + 1, attempt=2, leaves=[running(2, 7081)])],
        lifecycle=RENEWS,
        judged=exactly(1),
    ),
    Case(
        "a renewal begins no new attempt",
        rows.transitions_are_legal,
        breaks=[*GIVEN_TO_A, *renewed(3, 100, attempt=2)],
        expected=violation(
            rows.transitions_are_legal,
            3,
            100,
            "worker A moved j1 from RUNNING to RUNNING.",
            ("status", "RUNNING under the same lease, or taken over once it has expired", "RUNNING anew"),
        ),
        near_miss=renewed_then(),
        lifecycle=RENEWS,
        judged=exactly(3),
    ),
    answered_late(
        "a late renewal is refused where late ones are accepted",
        late_renewal(NO),
        late_renewal(YES),
        "accepted",
        strict=False,
    ),
    answered_late(
        "a late renewal is accepted where late ones are refused",
        late_renewal(YES),
        [*late_renewal(NO), *prepared(4, "B", LEASE, attempt=2)],
        "refused",
        strict=True,
    ),
    Case(
        "told that its lease is renewed, and it is not",
        WRITES,
        breaks=[*GIVEN_TO_A, *call(3, "renew", "A", 100, attempt=1)],
        expected=violation(
            WRITES,
            3,
            100,
            "worker A was told that renew(j1, attempt 1) is done, and nothing was written.",
            ("lease_expires_at", "3640", "3540"),
        ),
        near_miss=renewed_then(*call(4, "renew", "A", 100, attempt=1)),
        lifecycle=RENEWS,
    ),
    Case(
        "a job that waits for its retry has no lease to renew",
        ANSWERS,
        breaks=[*GIVEN_TO_A, *finished(3, "complete", done()), *call(4, "renew", attempt=1)],
        expected=violation(
            ANSWERS,
            4,
            0,
            "worker A called renew(j1, attempt 1) in the situation 'not RUNNING' and got accepted.",
            ("renew(j1, attempt 1)", "refused", "accepted"),
        ),
        near_miss=[*GIVEN_TO_A, *finished(3, "complete", done()), *call(4, "renew", attempt=1, answer=NO)],
        lifecycle=RENEWS,
    ),
)
