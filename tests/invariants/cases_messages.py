"""Messages: which may be deleted, and that no job is left without."""

from __future__ import annotations

from statemachine.history.events import DeadLettered, Event, PublicationLost
from statemachine.invariants import messages
from statemachine.lifecycle import JobRow
from tests.support.events import (
    PENDING,
    Case,
    call,
    created,
    delete_requested,
    delivered,
    done,
    exactly,
    failed,
    finished,
    prepared,
    retrying,
    sent,
    step,
    violation,
)

MARKED = PENDING._replace(published_at=0)
GIVEN_TO_A = [*created(), sent(), delivered(), *prepared(2)]
COMPLETED = [*GIVEN_TO_A, *finished(3, "complete", done())]


def deleted_after(operation: str, row: JobRow) -> list[Event]:
    return [*GIVEN_TO_A, *finished(3, operation, row), step(4), delete_requested()]


def stray_message_deleted(job: str, tenant: str) -> list[Event]:
    """Job j1 of t1 is DONE, and another message that may not be about it is deleted."""
    other = [sent("m2", job, tenant), delivered("m2", to="B")]
    return [*COMPLETED, *other, step(4), delete_requested("m2", by="B")]


def only_message(*deletes: Event) -> list[Event]:
    return [*GIVEN_TO_A, step(3), *deletes]


def published(*messages_sent: Event) -> list[Event]:
    began, asked, *answered = call(2, "publish", "publisher", leaves=[MARKED])
    return [*created(), began, asked, *messages_sent, *answered]


NOTHING_LEFT = ("messages of the job", "at least 1, in the queue or its DLQ", "0")

CASES = (
    Case(
        "of a job that was released",
        messages.messages_outlive_unfinished_jobs,
        breaks=deleted_after("release", retrying()),
        expected=violation(
            messages.messages_outlive_unfinished_jobs,
            4,
            0,
            "worker A deleted the message of j1 while j1 is RETRYING.",
            ("message m1", "kept in the queue", "delete requested"),
            ("status of its job", "terminal", "RETRYING"),
        ),
        near_miss=deleted_after("fail", failed()),
    ),
    Case(
        "of another tenant's job with the same id",
        messages.messages_outlive_unfinished_jobs,
        breaks=stray_message_deleted("j1", "t2"),
        expected=violation(
            messages.messages_outlive_unfinished_jobs,
            4,
            0,
            "worker B deleted a message for j1, and t2 has no such job.",
            ("message m2", "kept in the queue", "delete requested"),
            ("status of its job", "terminal", "no such job for that tenant"),
        ),
        near_miss=stray_message_deleted("j1", "t1"),
    ),
    Case(
        "of an unknown job",
        messages.messages_outlive_unfinished_jobs,
        breaks=stray_message_deleted("j0", "t1"),
        expected=violation(
            messages.messages_outlive_unfinished_jobs,
            4,
            0,
            "worker B deleted a message for j0, and t1 has no such job.",
            ("message m2", "kept in the queue", "delete requested"),
            ("status of its job", "terminal", "no such job for that tenant"),
            subject="j0",
        ),
        near_miss=stray_message_deleted("j1", "t1"),
    ),
    Case(
        "the request counts, though the queue did not obey",
        messages.messages_outlive_unfinished_jobs,
        breaks=[*GIVEN_TO_A, step(3), delete_requested(effective=False)],
        expected=violation(
            messages.messages_outlive_unfinished_jobs,
            3,
            0,
            "worker A deleted the message of j1 while j1 is RUNNING.",
            ("message m1", "kept in the queue", "delete requested"),
            ("status of its job", "terminal", "RUNNING"),
        ),
        near_miss=[*COMPLETED, step(4), delete_requested(effective=False)],
    ),
    Case(
        "of a message that was sent before the log began",
        messages.messages_outlive_unfinished_jobs,
        breaks=[*GIVEN_TO_A, step(3), delete_requested()],
        expected=violation(
            messages.messages_outlive_unfinished_jobs,
            3,
            0,
            "worker A deleted the message of j1 while j1 is RUNNING.",
            ("message m1", "kept in the queue", "delete requested"),
            ("status of its job", "terminal", "RUNNING"),
        ),
        near_miss=[*GIVEN_TO_A, step(3), delivered("m9"), delete_requested("m9")],
        judged=exactly(0),
    ),
    Case(
        "the last message is deleted while its job is RUNNING",
        messages.no_job_is_stranded,
        breaks=only_message(delete_requested()),
        expected=violation(
            messages.no_job_is_stranded,
            3,
            0,
            "j1 is RUNNING and nothing is left that could bring it to a worker.",
            NOTHING_LEFT,
        ),
        near_miss=only_message(delete_requested(effective=False)),
    ),
    Case(
        "a copy in the DLQ is enough",
        messages.no_job_is_stranded,
        breaks=only_message(delete_requested()),
        expected=violation(
            messages.no_job_is_stranded,
            3,
            0,
            "j1 is RUNNING and nothing is left that could bring it to a worker.",
            NOTHING_LEFT,
        ),
        near_miss=only_message(sent("m2"), DeadLettered(0, "m2"), delete_requested()),
    ),
    Case(
        "a message that was sent before the log began strands nobody",
        messages.no_job_is_stranded,
        breaks=only_message(delete_requested()),
        expected=violation(
            messages.no_job_is_stranded,
            3,
            0,
            "j1 is RUNNING and nothing is left that could bring it to a worker.",
            NOTHING_LEFT,
        ),
        near_miss=only_message(delivered("m9"), delete_requested("m9")),
        judged=exactly(2),
    ),
    Case(
        "published_at is written and nothing was sent",
        messages.no_job_is_stranded,
        breaks=published(),
        expected=violation(
            messages.no_job_is_stranded,
            2,
            0,
            "j1 is PENDING and nothing is left that could bring it to a worker.",
            NOTHING_LEFT,
        ),
        near_miss=published(sent()),
    ),
    Case(
        "a message of another tenant brings nobody",
        messages.no_job_is_stranded,
        breaks=published(sent(tenant="t2")),
        expected=violation(
            messages.no_job_is_stranded,
            2,
            0,
            "j1 is PENDING and nothing is left that could bring it to a worker.",
            NOTHING_LEFT,
        ),
        near_miss=published(sent(tenant="t1")),
    ),
    Case(
        "a dead publisher leaves its job to the sweep, unless it wrote published_at first",
        messages.no_job_is_stranded,
        breaks=[*created(), *call(2, "publish", "publisher", leaves=[MARKED], answer=None)],
        expected=violation(
            messages.no_job_is_stranded,
            2,
            0,
            "j1 is PENDING and nothing is left that could bring it to a worker.",
            NOTHING_LEFT,
        ),
        near_miss=[*created(), step(2), PublicationLost(0, "j1")],
    ),
)
