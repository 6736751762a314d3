"""Histories of defects in leases: who gets one, how long it lasts, when it can be taken over."""

from models_under_test.defects.minimal.steps import (
    A_WORKS,
    B_GETS_A_DUPLICATE,
    B_PREPARES,
    LEASE_ENDS,
    History,
)

HISTORIES: dict[str, History] = {
    "running_job_reentered": (*A_WORKS, B_GETS_A_DUPLICATE, B_PREPARES),
    "lease_as_long_as_visibility": A_WORKS,
    "lease_edge_excluded": (*A_WORKS, B_GETS_A_DUPLICATE, LEASE_ENDS, B_PREPARES),
}
