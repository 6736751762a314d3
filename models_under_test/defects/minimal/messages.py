"""Histories of defects in what becomes of messages."""

from models_under_test.defects.minimal.steps import A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES, History

HISTORIES: dict[str, History] = {
    "refused_delivery_deletes_message": (
        *A_WORKS,
        B_GETS_A_DUPLICATE,
        B_PREPARES,
        ("acknowledge", {"worker": "B"}),
    ),
}
