"""For each planted defect of the messaging pipeline the shortest history that a person would write."""

from collections.abc import Mapping

from models_under_test.defects.minimal.steps import (
    A_COMPLETES,
    A_PREPARES,
    A_RECEIVES,
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    CREATE,
    History,
    Step,
)
from models_under_test.defects.minimal.tenants import FOREIGN_MESSAGE

A_IS_KILLED_AFTER_ITS_FIRST_COMMIT: Step = ("complete", {"worker": "A", "fault": "kill_after_commit"})

MINIMAL: Mapping[str, History] = {
    "log_before_commit": (*A_WORKS, A_IS_KILLED_AFTER_ITS_FIRST_COMMIT),
    "log_anew_on_redelivery": (*A_WORKS, A_COMPLETES, B_GETS_A_DUPLICATE, B_PREPARES),
    "log_in_second_transaction": (*A_WORKS, A_IS_KILLED_AFTER_ITS_FIRST_COMMIT),
    "notification_of_any_tenant_sent": (CREATE, FOREIGN_MESSAGE, A_RECEIVES, A_PREPARES),
}
"""The name of each defect → its steps, as in ``defects/minimal/``."""
