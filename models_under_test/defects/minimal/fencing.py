"""Histories of defects in fencing: which attempt may finish the job, and what it leaves when it may not."""

from models_under_test.defects.minimal.steps import (
    A_COMPLETES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    B_TOOK_OVER,
    LEASE_ENDS,
    History,
)

HISTORIES: dict[str, History] = {
    "completion_without_token": (*B_TOOK_OVER, A_COMPLETES),
    "fenced_by_worker_id": (*B_TOOK_OVER, A_COMPLETES),
    "future_token_accepted": (*A_WORKS, ("stray", {"operation": "fail", "job": "j1", "attempt": "next"})),
    "last_attempt_unfenced": (
        *A_WORKS,
        B_GETS_A_DUPLICATE,
        LEASE_ENDS,
        B_PREPARES,
        ("duplicate", {"worker": "C", "message": "m2"}),
        LEASE_ENDS,
        ("prepare", {"worker": "C"}),
        A_COMPLETES,
    ),
    "refused_completion_unlocks": (*B_TOOK_OVER, A_COMPLETES),
    "refused_result_kept": (*B_TOOK_OVER, A_COMPLETES),
}
