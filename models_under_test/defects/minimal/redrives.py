"""Histories of defects that show after a redrive: a fourth delivery, with a new message and a new count."""

from models_under_test.defects.minimal.steps import (
    A_DIES_WITH_THE_LEASE,
    A_PREPARES,
    A_RECEIVES,
    A_RELEASES,
    CREATE,
    MESSAGE_RETURNS,
    PUBLISH,
    History,
    Step,
)

A_DIES: History = (A_RECEIVES, A_DIES_WITH_THE_LEASE, MESSAGE_RETURNS)
A_TRIES_IN_VAIN: History = (A_RECEIVES, A_PREPARES, A_RELEASES, MESSAGE_RETURNS)

INTO_THE_DLQ: Step = A_RECEIVES
REDRIVE: Step = ("redrive", {"message": "m2"})

HISTORIES: dict[str, History] = {
    "crashed_thrice_refused_for_ever": (
        CREATE,
        PUBLISH,
        *(A_DIES * 3),
        INTO_THE_DLQ,
        REDRIVE,
        ("receive", {"worker": "A", "message": "m13"}),
        A_PREPARES,
    ),
    "redriven_job_failed_at_prepare": (
        CREATE,
        PUBLISH,
        *(A_TRIES_IN_VAIN * 3),
        INTO_THE_DLQ,
        REDRIVE,
        ("receive", {"worker": "A", "message": "m16"}),
        A_PREPARES,
    ),
}
