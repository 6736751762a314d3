"""Histories of defects in how a job ends: who may end it, and what is written then."""

from models_under_test.defects.minimal.steps import (
    A_WORKS,
    B_PREPARES,
    B_RECEIVES,
    MESSAGE_RETURNS,
    History,
)

HISTORIES: dict[str, History] = {
    "completion_without_token": (
        *A_WORKS,
        MESSAGE_RETURNS,
        B_RECEIVES,
        B_PREPARES,
        ("complete", {"worker": "A"}),
    ),
    "done_overwritten_by_failed": (
        *A_WORKS,
        ("complete", {"worker": "A", "fault": "answer_lost"}),
        ("fail", {"worker": "A"}),
    ),
}
