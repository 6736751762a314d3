"""The end of an example: what may be left when faults have stopped and time has moved on."""

from __future__ import annotations

from statemachine.history.events import DeadLettered, DrainBegan, DrainEnded, Event, Killed, MessageCameBack
from statemachine.history.words import counted
from statemachine.invariants import drain
from statemachine.lifecycle import JobRow
from tests.support.events import (
    LEASE,
    Case,
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

GIVEN_TO_A = [*created(), sent(), delivered(), *prepared(2)]
END = 9000
STUCK = "j1 is RUNNING, lease expired, 0 messages, nothing enabled changes it"
ENDLESS = "no quiet within 400 moves"


def ended(stuck: str = "") -> list[Event]:
    return [step(9, "drain", END), DrainEnded(END, stuck)]


def left_as(row: JobRow) -> list[Event]:
    return [*GIVEN_TO_A, *finished(3, "release", row), *ended()]


def quiet_with(*messages: Event, stuck: str = "") -> list[Event]:
    return [*GIVEN_TO_A, *finished(3, "complete", done()), *messages, *ended(stuck)]


def drained(before: list[Event], *moves: Event) -> list[Event]:
    return [*GIVEN_TO_A, *before, DrainBegan(0), *moves, *ended()]


KILLED: list[Event] = [Killed(0, "A", "during_inference")]
BY_A = finished(4, "complete", done())
BY_B = [*prepared(5, "B", LEASE, attempt=2), *finished(6, "complete", done(2), "B", LEASE)]
BY_B_AND_C = [
    *prepared(5, "B", LEASE, attempt=2),
    *prepared(6, "C", 2 * LEASE, attempt=3),
    *finished(7, "complete", done(3), "C", 2 * LEASE),
]
ENDED = finished(4, "fail", failed())
TAKEN_UP_AGAIN = prepared(5, "B", LEASE, attempt=2)


def reprocessed(
    name: str,
    breaks: list[Event],
    near_miss: list[Event],
    allowed: str,
    acquisitions: int,
    endings: int,
) -> Case:
    return Case(
        name,
        drain.a_killed_job_is_reprocessed_once,
        breaks,
        violation(
            drain.a_killed_job_is_reprocessed_once,
            9,
            END,
            f"j1 was acquired {counted(int(acquisitions))} after the last fault "
            f"and ended {counted(int(endings))}.",
            ("acquisitions in the drain", allowed, str(acquisitions)),
            ("terminal commits", "1", str(endings)),
        ),
        near_miss,
    )


CASES = (
    Case(
        "the proof of stuckness is the story",
        drain.every_job_ends,
        breaks=[*GIVEN_TO_A, *ended(STUCK)],
        expected=violation(
            drain.every_job_ends,
            9,
            END,
            f"j1 never ends: {STUCK}.",
            ("status", "DONE or FAILED", "RUNNING"),
        ),
        near_miss=[*GIVEN_TO_A, *finished(3, "complete", done()), *ended()],
    ),
    Case(
        "all is quiet and the job is RETRYING",
        drain.every_job_ends,
        breaks=left_as(retrying()),
        expected=violation(
            drain.every_job_ends,
            9,
            END,
            "j1 never ends: all is quiet and it is RETRYING.",
            ("status", "DONE or FAILED", "RETRYING"),
        ),
        near_miss=left_as(failed()),
    ),
    Case(
        "no job, and no quiet either",
        drain.every_job_ends,
        breaks=ended(ENDLESS),
        expected=violation(
            drain.every_job_ends,
            9,
            END,
            f"every job has ended, and still {ENDLESS}.",
            ("drain", "quiet", "busy"),
            subject="the queue",
        ),
        near_miss=quiet_with(delete_requested()),
    ),
    Case(
        "every job has ended, and no quiet",
        drain.every_job_ends,
        breaks=quiet_with(delete_requested(), stuck=ENDLESS),
        expected=violation(
            drain.every_job_ends,
            9,
            END,
            f"every job has ended, and still {ENDLESS}.",
            ("drain", "quiet", "busy"),
            subject="the queue",
        ),
        near_miss=quiet_with(delete_requested()),
        judged=exactly(1),
    ),
    *(
        Case(
            f"{name} is left",
            drain.ended_jobs_leave_no_message,
            breaks=quiet_with(*breaks),
            expected=violation(
                drain.ended_jobs_leave_no_message,
                9,
                END,
                f"message {message} of j1 is still in the {place} at the end.",
                (f"message {message}", "deleted", f"in the {place}"),
            ),
            near_miss=quiet_with(*near_miss),
        )
        for name, breaks, near_miss, message, place in (
            (
                "a message whose delete was lost",
                [delete_requested(effective=False)],
                [delete_requested()],
                "m1",
                "queue",
            ),
            (
                "a DLQ copy of the job's own tenant",
                [delete_requested(), sent("m2", tenant="t1"), DeadLettered(0, "m2")],
                [delete_requested(), sent("m2", tenant="t2"), DeadLettered(0, "m2")],
                "m2",
                "dlq",
            ),
            (
                "a message that came back",
                [delete_requested(), MessageCameBack(0, "m1")],
                # Sent before the log began: nobody knows whose it is.
                [delete_requested(), MessageCameBack(0, "m9"), DeadLettered(0, "m9")],
                "m1",
                "queue",
            ),
            (
                "a message without a job that is not yet in the DLQ",
                [delete_requested(), sent("m2", tenant="t2")],
                [delete_requested(), sent("m2", tenant="t2"), DeadLettered(0, "m2")],
                "m2",
                "queue",
            ),
        )
    ),
    reprocessed("twice", drained(KILLED, *BY_B_AND_C), drained(KILLED, *BY_B), "1", 2, 1),
    reprocessed("twice, held", drained([], *BY_B_AND_C), drained([], *BY_B), "0 or 1", 2, 1),
    reprocessed("its dead holder finishes", drained(KILLED, *BY_A), drained([], *BY_A), "1", 0, 1),
    reprocessed("after its end", drained(ENDED, *TAKEN_UP_AGAIN), drained(ENDED), "0", 1, 1),
    reprocessed(
        "ends twice",
        drained(ENDED, *finished(5, "fail", retrying()), *finished(6, "fail", failed())),
        drained(ENDED),
        "0",
        0,
        2,
    ),
    reprocessed("never ends", drained(KILLED, *TAKEN_UP_AGAIN), drained(KILLED, *BY_B), "1", 1, 0),
)
