"""Histories of defects in what becomes of messages: deleted too early, hidden too briefly, left behind."""

from models_under_test.defects.minimal.steps import (
    A_ACKNOWLEDGES,
    A_COMPLETES,
    A_DIES_WITH_THE_LEASE,
    A_PREPARES,
    A_RECEIVES,
    A_RELEASES,
    A_WORKS,
    B_ACKNOWLEDGES,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    B_RECEIVES,
    CREATE,
    MESSAGE_RETURNS,
    PUBLISH,
    History,
)

A_RECEIVES_THE_FIRST = ("receive", {"worker": "A", "message": "m1"})

HISTORIES: dict[str, History] = {
    "refused_delivery_deletes_message": (*A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES, B_ACKNOWLEDGES),
    "message_deleted_at_prepare": A_WORKS,
    "message_deleted_before_finish": (*A_WORKS, A_COMPLETES),
    "released_message_deleted": (*A_WORKS, A_RELEASES, A_ACKNOWLEDGES),
    "retry_sent_anew": (*A_WORKS, A_RELEASES),
    "superseded_finish_deletes_message": (
        *A_WORKS,
        MESSAGE_RETURNS,
        B_RECEIVES,
        B_PREPARES,
        A_COMPLETES,
        A_ACKNOWLEDGES,
    ),
    "ended_jobs_cached_before_commit": (
        *A_WORKS,
        ("complete", {"worker": "A", "fault": "error_before_commit"}),
        B_GETS_A_DUPLICATE,
        B_ACKNOWLEDGES,
    ),
    "ended_job_of_any_tenant_skipped": (
        *A_WORKS,
        A_COMPLETES,
        ("forge", {"job": "j1", "tenant": "t2"}),
        ("receive", {"worker": "B", "message": "m6"}),
        B_PREPARES,
        B_ACKNOWLEDGES,
    ),
    "unknown_jobs_message_deleted": (
        ("forge", {"job": "j0", "tenant": "t1"}),
        A_RECEIVES_THE_FIRST,
        A_PREPARES,
        A_ACKNOWLEDGES,
    ),
    "malformed_message_deleted": (("send_malformed", {}), A_RECEIVES_THE_FIRST),
    "malformed_message_prepared": (("send_malformed", {}), A_RECEIVES_THE_FIRST, A_PREPARES),
    "extension_too_short": (*A_WORKS, ("extend", {"worker": "A"})),
    "released_message_visible_at_once": (*A_WORKS, A_RELEASES),
    "refused_message_visible_at_once": (*A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES),
    "running_jobs_skipped_at_receive": (CREATE, PUBLISH, A_RECEIVES, A_DIES_WITH_THE_LEASE),
    "skipped_message_kept": (*A_WORKS, ("complete", {"worker": "A", "fault": "kill_after_commit"})),
}
