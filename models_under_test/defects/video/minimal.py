"""For each planted defect of the video pipeline the shortest history that a person would write to show it."""

from collections.abc import Mapping

from models_under_test.defects.minimal.steps import (
    A_COMPLETES,
    A_FAILS,
    A_PREPARES,
    A_RECEIVES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    B_TOOK_OVER,
    CREATE,
    History,
)
from models_under_test.defects.minimal.tenants import FOREIGN_MESSAGE

MINIMAL: Mapping[str, History] = {
    "failed_video_keeps_its_lease": (*A_WORKS, A_FAILS),
    "processing_video_entered_again": (*A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES),
    "ready_without_attempt_check": (*B_TOOK_OVER, A_COMPLETES),
    "video_of_any_tenant_processed": (CREATE, FOREIGN_MESSAGE, A_RECEIVES, A_PREPARES),
}
"""The name of each defect → its steps, as in ``defects/minimal/``."""
