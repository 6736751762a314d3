"""Histories of defects in isolation: what is done to a job in the name of another tenant."""

from models_under_test.defects.minimal.steps import (
    A_PREPARES,
    A_RECEIVES,
    A_WORKS,
    CREATE,
    History,
    Step,
)

FOREIGN_MESSAGE: Step = ("forge", {"job": "j1", "tenant": "t2"})

HISTORIES: dict[str, History] = {
    "foreign_message_fails_job": (CREATE, FOREIGN_MESSAGE, A_RECEIVES, A_PREPARES),
    "tenant_ignored_by_mark_failed": (
        *A_WORKS,
        ("stray", {"operation": "fail", "job": "j1", "attempt": "foreign"}),
    ),
    "tenant_ignored_by_mark_running": (CREATE, FOREIGN_MESSAGE, A_RECEIVES, A_PREPARES),
}
