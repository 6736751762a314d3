"""Histories of defects in what one transaction holds: too little of a job, or more than one job."""

from models_under_test.defects.minimal.steps import (
    A_RECEIVES,
    A_WORKS,
    B_PREPARES,
    CREATE,
    LEASE_ENDS,
    PUBLISH,
    History,
)

B_GETS_ANOTHER_JOB: History = (
    ("create", {"job": "j5", "tenant": "t1"}),
    ("publish", {"job": "j5"}),
    ("receive", {"worker": "B", "message": "m6"}),
)
"""After A_WORKS: worker B has the message of a second job of the same tenant."""

HISTORIES: dict[str, History] = {
    "prepare_without_transaction": (
        CREATE,
        PUBLISH,
        A_RECEIVES,
        ("prepare", {"worker": "A", "fault": "kill_before_statement", "at": 3}),
    ),
    "lease_and_attempt_in_two_transactions": A_WORKS,
    "all_running_jobs_failed": (*A_WORKS, *B_GETS_ANOTHER_JOB, B_PREPARES, ("fail", {"worker": "B"})),
    "expired_jobs_freed_by_prepare": (*A_WORKS, *B_GETS_ANOTHER_JOB, LEASE_ENDS, B_PREPARES),
}
