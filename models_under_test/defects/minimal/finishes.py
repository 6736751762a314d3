"""Histories of defects in how a job ends: in which status it may, and what is written and answered then."""

from models_under_test.defects.minimal.steps import (
    A_COMPLETES,
    A_COMPLETES_UNANSWERED,
    A_FAILS,
    A_WORKS,
    LEASE_ENDS,
    History,
)

HISTORIES: dict[str, History] = {
    "done_overwritten_by_failed": (*A_WORKS, A_COMPLETES_UNANSWERED, A_FAILS),
    "failure_writes_a_result": (*A_WORKS, A_FAILS),
    "late_completion_refused": (*A_WORKS, LEASE_ENDS, A_COMPLETES),
    "released_job_completed": (
        *A_WORKS,
        ("release", {"worker": "A", "fault": "answer_lost"}),
        A_COMPLETES,
    ),
    "result_in_second_transaction": (
        *A_WORKS,
        ("complete", {"worker": "A", "fault": "kill_after_commit"}),
    ),
    "result_rewritten": (*A_WORKS, A_COMPLETES_UNANSWERED, A_COMPLETES),
    "second_completion_denied": (*A_WORKS, A_COMPLETES_UNANSWERED, A_COMPLETES),
    "second_completion_raises": (*A_WORKS, A_COMPLETES_UNANSWERED, A_COMPLETES),
}
