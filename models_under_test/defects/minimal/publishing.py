"""Histories of defects in creation, publisher and sweep: how a committed job gets its message."""

from models_under_test.defects.minimal.steps import (
    A_PREPARES,
    A_RECEIVES,
    A_WORKS,
    CREATE,
    LEASE_ENDS,
    PUBLISH,
    RECOVERY_IS_DUE,
    SWEEP,
    History,
    Step,
)

CREATE_AGAIN: Step = ("create_again", {"job": "j1", "tenant": "t1"})
CREATE_ANOTHER: Step = ("create", {"job": "j2", "tenant": "t2"})

HISTORIES: dict[str, History] = {
    "published_before_commit": (CREATE,),
    "create_again_publishes_again": (CREATE, CREATE_AGAIN),
    "create_again_resets_the_job": (CREATE, CREATE_AGAIN),
    "failed_job_created_anew": (*A_WORKS, ("fail", {"worker": "A"}), CREATE_AGAIN),
    "unit_of_work_commits_on_error": (CREATE, CREATE_AGAIN),
    "marked_before_sent": (CREATE, PUBLISH),
    "send_error_swallowed": (CREATE, ("publish", {"job": "j1", "fault": "error_in_port_call"})),
    "publisher_never_marks": (CREATE, PUBLISH),
    "published_at_written_again": (CREATE, RECOVERY_IS_DUE, SWEEP, ("wait", {"seconds": 1}), PUBLISH),
    "sweep_ignores_status": (
        CREATE,
        ("publish", {"job": "j1", "fault": "kill_after_port_call"}),
        RECOVERY_IS_DUE,
        A_RECEIVES,
        A_PREPARES,
        SWEEP,
    ),
    "sweep_ignores_age": (CREATE, SWEEP),
    "sweep_edge_excluded": (CREATE, RECOVERY_IS_DUE, SWEEP),
    "sweep_forgets_old_jobs": (CREATE, ("wait", {"seconds": 600}), SWEEP),
    "sweep_of_one_tenant": (("create", {"job": "j1", "tenant": "t2"}), RECOVERY_IS_DUE, SWEEP),
    "sweep_takes_one_job": (CREATE, CREATE_ANOTHER, RECOVERY_IS_DUE, SWEEP),
    "sweep_sends_the_last_job_only": (CREATE, CREATE_ANOTHER, RECOVERY_IS_DUE, SWEEP),
    "sweep_sends_for_one_tenant": (CREATE, CREATE_ANOTHER, RECOVERY_IS_DUE, SWEEP),
    "sweep_never_marks": (CREATE, RECOVERY_IS_DUE, SWEEP),
    "sweep_marks_all_then_sends": (CREATE, RECOVERY_IS_DUE, SWEEP),
    "sweep_resets_expired_jobs": (*A_WORKS, LEASE_ENDS, SWEEP),
}
