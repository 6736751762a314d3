"""Histories of defects that only two transactions at once can show, for the transactions lane.

A stepwise operation stops before each of its statements.  A message is named after the step in which it is
sent, which in such an operation is a later step than the one in which it began.
"""

from collections.abc import Sequence

from models_under_test.defects.minimal.steps import (
    A_COMPLETES,
    A_RECEIVES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    B_RECEIVES,
    CREATE,
    MESSAGE_RETURNS,
    PUBLISH,
    RECOVERY_IS_DUE,
    History,
    Step,
)

READ, LOCK, WRITE, COMMIT = "SELECT ai_job", "SELECT ai_job FOR UPDATE", "UPDATE ai_job", "COMMIT"
LOOK_FOR_RESULT, INSERT_RESULT = "SELECT ai_result", "INSERT ai_result"


def slowly(step: Step) -> Step:
    """The same step, stopped before each of its statements."""
    operation, arguments = step
    return operation, {**arguments, "stepwise": True}


def on(by: str, *statements: str) -> Sequence[Step]:
    """Steps in which the operation of ``by`` executes these statements, one a step."""
    return [("proceed", {"by": by, "statement": statement}) for statement in statements]


BOTH_ASK: History = (CREATE, PUBLISH, A_RECEIVES, B_GETS_A_DUPLICATE)
"""Workers A and B have the same message and are about to prepare."""

A_IS_LATE: History = (*A_WORKS, MESSAGE_RETURNS, B_RECEIVES)
"""Worker A is at work under an expired lease; worker B is about to take over."""

B_COMPLETES: Step = ("complete", {"worker": "B"})
B_RELEASES: Step = ("release", {"worker": "B"})
A_FAILS: Step = ("fail", {"worker": "A"})

HISTORIES: dict[str, History] = {
    "acquired_without_lock": (
        *BOTH_ASK,
        slowly(("prepare", {"worker": "A"})),
        *on("A", READ),
        B_PREPARES,
        *on("A", WRITE, COMMIT),
    ),
    "attempt_counted_in_sql": (
        *BOTH_ASK,
        slowly(("prepare", {"worker": "A"})),
        *on("A", READ),
        B_PREPARES,
        *on("A", WRITE, READ, COMMIT),
    ),
    "attempt_counted_before_the_lock": (
        *BOTH_ASK,
        slowly(("prepare", {"worker": "A"})),
        *on("A", READ),
        B_PREPARES,
        B_RELEASES,
        *on("A", LOCK, WRITE, COMMIT),
    ),
    "locked_after_the_read": (
        *BOTH_ASK,
        slowly(("prepare", {"worker": "A"})),
        *on("A", READ),
        B_PREPARES,
        *on("A", LOCK, WRITE, COMMIT),
    ),
    "tenant_locked_for_the_job": (
        *A_IS_LATE,
        slowly(B_PREPARES),
        *on("B", LOCK),
        A_COMPLETES,
        *on("B", WRITE, COMMIT),
    ),
    "completed_without_lock": (
        *A_IS_LATE,
        slowly(A_COMPLETES),
        *on("A", READ),
        B_PREPARES,
        *on("A", WRITE, INSERT_RESULT, COMMIT),
    ),
    "attempt_checked_in_first_transaction": (
        *A_IS_LATE,
        slowly(A_COMPLETES),
        *on("A", LOCK, COMMIT),
        B_PREPARES,
        *on("A", WRITE, INSERT_RESULT, COMMIT),
    ),
    "status_checked_again_but_not_the_attempt": (
        *A_IS_LATE,
        slowly(A_FAILS),
        *on("A", READ),
        B_PREPARES,
        *on("A", WRITE, COMMIT),
    ),
    "result_checked_then_inserted": (
        *A_IS_LATE,
        slowly(A_COMPLETES),
        *on("A", READ),
        B_PREPARES,
        B_COMPLETES,
        *on("A", INSERT_RESULT, "ROLLBACK"),
    ),
    "result_constraint_dropped": (
        *A_IS_LATE,
        slowly(A_COMPLETES),
        *on("A", LOOK_FOR_RESULT),
        B_PREPARES,
        B_COMPLETES,
        *on("A", WRITE, READ, INSERT_RESULT, COMMIT),
    ),
    "id_constraint_dropped": (
        slowly(CREATE),
        *on("application", READ),
        ("create_again", {"job": "j1", "tenant": "t1"}),
        *on("application", "INSERT ai_job", COMMIT),
    ),
    "publisher_saves_all_fields": (
        CREATE,
        slowly(PUBLISH),
        *on("publisher", READ),
        A_RECEIVES,
        ("prepare", {"worker": "A"}),
        *on("publisher", WRITE, COMMIT),
    ),
    "sent_before_the_mark_is_committed": (
        CREATE,
        slowly(PUBLISH),
        *on("publisher", WRITE),
        ("receive", {"worker": "A", "message": "m3"}),
        ("prepare", {"worker": "A"}),
    ),
    "sweep_saves_what_it_read": (
        CREATE,
        RECOVERY_IS_DUE,
        slowly(("recover", {})),
        *on("sweep", READ),
        ("receive", {"worker": "A", "message": "m4"}),
        ("prepare", {"worker": "A"}),
        *on("sweep", WRITE, COMMIT),
    ),
}
