"""Publisher and sweep: what is sent before it is committed, and what a sweep sends, or passes over."""

from __future__ import annotations

from collections.abc import Sequence

from statemachine.history.events import Event
from statemachine.invariants.publishing import published_means_committed, recovery_sends_only_unsent_jobs
from statemachine.lifecycle import JobRow
from tests.support.events import (
    AT_LEAST_ONCE,
    PENDING,
    Case,
    call,
    committed,
    created,
    exactly,
    handed_over,
    invoked,
    observed,
    prepared,
    returned,
    running,
    sent,
    step,
    struck,
    swept,
    violation,
)

PUBLISHED, SWEPT = PENDING._replace(published_at=0), PENDING._replace(published_at=60)
OTHER = JobRow("j2", "t2", "PENDING")
GONE = "OperationalError: gone away"


def create_in_which(*events: Event) -> list[Event]:
    """The first step creates j1, and ``events`` happen before its answer."""
    return [step(1), invoked(1, "create", "application"), *events, returned(1)]


COMMIT = (committed(1), observed(1, PENDING))


def uncommitted(
    name: str,
    breaks: Sequence[Event],
    near_miss: Sequence[Event],
    found: str,
    *,
    deed: str = "sent to the queue",
    blamed: int = 1,
    tenant: str = "t1",
    judged: range = AT_LEAST_ONCE,
) -> Case:
    expected = violation(
        published_means_committed,
        blamed,
        0,
        f"j1 of {tenant} was {deed}, and there is {found}.",
        ("row of j1", f"committed, of {tenant}", found),
    )
    return Case(name, published_means_committed, breaks, expected, near_miss, judged=judged)


COMMITTED_FIRST = (
    uncommitted(
        "sent inside of the transaction that creates its job",
        create_in_which(sent(call=1), *COMMIT),
        create_in_which(*COMMIT, sent(call=1)),
        "no committed row",
        judged=exactly(1),
    ),
    uncommitted(
        "sent although its creation was rolled back",
        [*call(1, "create", "application", answer=GONE), sent()],
        [*call(1, "create", "application", leaves=[PENDING], answer=GONE), sent()],
        "no committed row",
        judged=exactly(1),
    ),
    uncommitted(
        "handed over before the commit",
        create_in_which(handed_over(1), *COMMIT),
        create_in_which(*COMMIT, handed_over(1)),
        "no committed row",
        deed="handed to the publisher",
        judged=exactly(1),
    ),
    uncommitted(
        "handed over in another tenant's name",
        create_in_which(*COMMIT, handed_over(1, tenant="t2")),
        create_in_which(*COMMIT, handed_over(1, tenant="t1")),
        "a row of t1",
        deed="handed to the publisher",
        tenant="t2",
    ),
    uncommitted(
        "sent in another tenant's name",
        [*created(), step(2), sent(tenant="t2")],
        [*created(), step(2), sent(tenant="t1")],
        "a row of t1",
        blamed=2,
        tenant="t2",
    ),
    uncommitted(
        "a row that is gone is not committed",
        [*created(), step(2), observed(1, gone=("j1",)), sent()],
        [*created(), step(2), observed(1, PUBLISHED), sent()],
        "no committed row",
        blamed=2,
    ),
    uncommitted(
        "what the world forges is exempt",
        [step(1), sent()],
        [step(1), sent(forged=True), *created(2, OTHER), sent(job="j2", forged=True)],
        "no committed row",
        judged=exactly(0),
    ),
)


def swept_wrongly(
    name: str,
    breaks: Sequence[Event],
    near_miss: Sequence[Event],
    story: str,
    *compared: tuple[str, str, str],
    blamed: int = 2,
    at: float = 60,
    subject: str = "j1",
    judged: range = AT_LEAST_ONCE,
) -> Case:
    claim = recovery_sends_only_unsent_jobs
    expected = violation(claim, blamed, at, story, *compared, subject=subject)
    return Case(name, claim, breaks, expected, near_miss, judged=judged)


def sends(call: int, at: float = 60, *, message: str = "m1", job: str = "j1", tenant: str = "t1") -> Event:
    return sent(message, job, at=at, call=call, tenant=tenant)


def sends_and_marks(call: int) -> tuple[Event, ...]:
    return (sends(call), committed(call, 60), observed(call, SWEPT, at=60))


def sent_twice(*between: Event) -> list[Event]:
    """The sweep sends j1, and sends j1 again after ``between``."""
    return [*created(), *swept(2, 60, sends(2), *between, sends(2, message="m2"), *sends_and_marks(2)[1:])]


PUBLISHED_JOB = [*created(), *call(2, "publish", "publisher", leaves=[PUBLISHED])]
DUE = "PENDING, unpublished, old enough"
KILLED_AFTER_SENDING = swept(2, 60, sends(2), struck(2, 60, "kill_after_port_call"))[:-1]

SENDS_WHAT_IS_DUE = (
    *(
        swept_wrongly(
            f"a job that is {state}",
            [*before, *swept(3, 60, sends(3))],
            [*before, *swept(3, 60)],
            f"the sweep sent j1, which is {state}.",
            ("messages sent for j1", f"1, {DUE}", f"1, {state}"),
            ("age", "at least 60 s", "60 s"),
            blamed=3,
            judged=exactly(1),
        )
        for state, before in (
            ("PENDING, published", PUBLISHED_JOB),
            ("RUNNING, unpublished", [*created(), *prepared(2)]),
            ("RUNNING, published", [*PUBLISHED_JOB, observed(2, running()._replace(published_at=0))]),
        )
    ),
    swept_wrongly(
        "a job that is too young by a second",
        [*created(), *swept(2, 59, sends(2, 59))],
        [*created(), *swept(2, 60, *sends_and_marks(2))],
        "the sweep sent j1, which is PENDING, unpublished.",
        ("messages sent for j1", f"1, {DUE}", "1, PENDING, unpublished"),
        ("age", "at least 60 s", "59 s"),
        at=59,
        judged=exactly(2),
    ),
    swept_wrongly(
        "a job that there is not",
        [*created(), *swept(2, 60, *sends_and_marks(2), sends(2, message="m2", job="j9"))],
        [*created(), *swept(2, 60, *sends_and_marks(2))],
        "the sweep sent j9, which is no job of this history.",
        ("messages sent for j9", f"1, {DUE}", "1, no job of this history"),
        ("age", "at least 60 s", "none"),
        subject="j9",
    ),
    swept_wrongly(
        "twice in one sweep; twice in two is legal, when the first was killed",
        sent_twice(),
        [*created(), *KILLED_AFTER_SENDING, *swept(3, 60, *sends_and_marks(3))],
        "the sweep sent j1, which is PENDING, unpublished, 2 times.",
        ("messages sent for j1", f"1, {DUE}", "2, PENDING, unpublished"),
        ("age", "at least 60 s", "60 s"),
        judged=exactly(3),
    ),
    swept_wrongly(
        "as another tenant's job",
        [*created(), *swept(2, 60, sends(2, tenant="t2"), *sends_and_marks(2)[1:])],
        [*created(), *swept(2, 60, *sends_and_marks(2))],
        "the sweep sent j1 of t1 as a job of t2.",
        ("tenant of the message for j1", "t1", "t2"),
        judged=exactly(2),
    ),
    swept_wrongly(
        "the age counts from the commit of its creation",
        [*call(1, "create", "application", at=1, leaves=[PENDING]), *swept(2, 60, sends(2))],
        [*call(1, "create", "application", at=0, leaves=[PENDING]), *swept(2, 60, *sends_and_marks(2))],
        "the sweep sent j1, which is PENDING, unpublished.",
        ("messages sent for j1", f"1, {DUE}", "1, PENDING, unpublished"),
        ("age", "at least 60 s", "59 s"),
    ),
)

PASSED_OVER = "the sweep passed over j1, which nobody has sent."
LEFT_ALONE = (("messages sent for j1", "1", "0"), ("published_at", "set", "NULL"))
SENDS_ALL_THAT_IS_DUE = (
    swept_wrongly(
        "a due job is passed over, a younger one may be",
        [*created(), *swept(2, 60)],
        [*created(), *swept(2, 59)],
        PASSED_OVER,
        *LEFT_ALONE,
        judged=exactly(1),
    ),
    swept_wrongly(
        "one of two due jobs is passed over",
        [
            *created(),
            *created(2, OTHER),
            *swept(
                3, 60, sends(3, job="j2", tenant="t2"), observed(3, *[OTHER._replace(published_at=60)], at=60)
            ),
        ],
        [*created(), *swept(3, 60, *sends_and_marks(3)), *created(4, OTHER)],
        PASSED_OVER,
        *LEFT_ALONE,
        blamed=3,
    ),
    swept_wrongly(
        "a sweep in which a fault struck may pass over anything",
        [*created(), *swept(2, 60)],
        [*created(), *swept(2, 60, struck(2, 60))],
        PASSED_OVER,
        *LEFT_ALONE,
        judged=exactly(0),
    ),
    swept_wrongly(
        "sent and not marked: it would be sent for ever",
        [*created(), *swept(2, 60, sends(2))],
        [*created(), *swept(2, 60, *sends_and_marks(2))],
        "the sweep sent j1 and did not remember that it did.",
        ("messages sent for j1", "1", "1"),
        ("published_at", "set", "NULL"),
    ),
)
CASES = (*COMMITTED_FIRST, *SENDS_WHAT_IS_DUE, *SENDS_ALL_THAT_IS_DUE)
