"""Histories of defects in attempts: what is counted as one, which number its caller gets, when it ends."""

from models_under_test.defects.minimal.steps import (
    A_RELEASES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    LEASE_ENDS,
    History,
)

HISTORIES: dict[str, History] = {
    "attempt_counts_refusals": (*A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES),
    "attempt_kept_at_takeover": (*A_WORKS, B_GETS_A_DUPLICATE, LEASE_ENDS, B_PREPARES),
    "attempt_reset_by_release": (*A_WORKS, A_RELEASES),
    "attempt_told_before_increment": A_WORKS,
    "released_job_pending_again": (*A_WORKS, A_RELEASES),
    "third_release_gives_up": (
        *A_WORKS,
        A_RELEASES,
        B_GETS_A_DUPLICATE,
        B_PREPARES,
        ("release", {"worker": "B"}),
        ("duplicate", {"worker": "C", "message": "m2"}),
        ("prepare", {"worker": "C"}),
        ("release", {"worker": "C"}),
    ),
}
