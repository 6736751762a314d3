"""Histories of defects in leases: who gets one, how long it lasts, when it can be taken over."""

from models_under_test.defects.minimal.steps import (
    A_COMPLETES,
    A_FAILS,
    A_PREPARES,
    A_RECEIVES,
    A_RELEASES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    CREATE,
    LEASE_ENDS,
    PUBLISH,
    History,
    Step,
)

ONE_SECOND: Step = ("wait", {"seconds": 1})

HISTORIES: dict[str, History] = {
    "failed_job_acquired_again": (*A_WORKS, B_GETS_A_DUPLICATE, A_FAILS, B_PREPARES),
    "lease_as_long_as_visibility": A_WORKS,
    "lease_cut_to_the_minute": (CREATE, PUBLISH, ONE_SECOND, A_RECEIVES, A_PREPARES),
    "lease_edge_excluded": (*A_WORKS, B_GETS_A_DUPLICATE, LEASE_ENDS, B_PREPARES),
    "lease_in_local_time": A_WORKS,
    "lease_kept_at_takeover": (*A_WORKS, B_GETS_A_DUPLICATE, LEASE_ENDS, B_PREPARES),
    "lease_kept_on_retry": (*A_WORKS, A_RELEASES),
    "locked_by_kept_when_done": (*A_WORKS, A_COMPLETES),
    "now_read_at_import": (CREATE, PUBLISH, ONE_SECOND, A_RECEIVES, A_PREPARES),
    "retrying_job_refused": (*A_WORKS, B_GETS_A_DUPLICATE, A_RELEASES, B_PREPARES),
    "running_job_reentered": (*A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES),
    "takeover_one_second_early": (
        *A_WORKS,
        B_GETS_A_DUPLICATE,
        ("advance_to", {"deadline": "lease", "of": "j1", "offset": -1}),
        B_PREPARES,
    ),
}
