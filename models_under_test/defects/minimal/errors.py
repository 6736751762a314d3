"""Histories of defects in what becomes of an error, most of all one that COMMIT raises."""

from models_under_test.defects.minimal.steps import (
    A_ACKNOWLEDGES,
    A_COMPLETES,
    A_RECEIVES,
    A_WORKS,
    CREATE,
    PUBLISH,
    History,
    Step,
)

PREPARE_BREAKS: Step = ("prepare", {"worker": "A", "fault": "error_before_commit"})
COMPLETE_BREAKS: Step = ("complete", {"worker": "A", "fault": "error_before_commit"})

HISTORIES: dict[str, History] = {
    "prepare_error_read_as_refusal": (CREATE, PUBLISH, A_RECEIVES, PREPARE_BREAKS),
    "message_deleted_on_prepare_error": (CREATE, PUBLISH, A_RECEIVES, PREPARE_BREAKS),
    "message_deleted_after_finish_error": (*A_WORKS, COMPLETE_BREAKS, A_ACKNOWLEDGES),
    "finish_error_logged_and_forgotten": (*A_WORKS, COMPLETE_BREAKS),
    "database_error_fails_the_job": (*A_WORKS, COMPLETE_BREAKS),
    "result_error_ignored": (
        *A_WORKS,
        ("complete", {"worker": "A", "fault": "error_before_statement", "at": 3}),
    ),
    "completion_remembered_before_commit": (*A_WORKS, COMPLETE_BREAKS, A_COMPLETES),
    "unit_of_work_swallows_commit_errors": (CREATE, PUBLISH, A_RECEIVES, PREPARE_BREAKS),
    "sweep_errors_swallowed": (("recover", {"fault": "error_before_commit"}),),
}
