"""The hand-written histories of the planted defects, as steps that can be played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models_under_test.binding import AIJobsBinding
from models_under_test.defects.minimal import MINIMAL as WRITTEN
from statemachine.commands.certificate.catalogue import EMBEDDED, Planted, catalogue
from statemachine.search.triage.script import Step


def script(*steps: tuple[str, dict[str, Any]]) -> list[Step]:
    """Steps numbered from 1: a job or message created by step 2 is called j2 or m2."""
    return [
        Step(number, operation, arguments) for number, (operation, arguments) in enumerate(steps, start=1)
    ]


_PLANTED = catalogue(AIJobsBinding())
PLANTED: dict[str, Planted] = {one.name: one for one in _PLANTED if one.lane == EMBEDDED}
RACES: dict[str, Planted] = {one.name: one for one in _PLANTED if one.lane == "transactions"}
"""Defects by name: those that whole operations show, and those that take two transactions at once."""

MINIMAL: dict[str, Sequence[Step]] = {
    defect: script(*steps) for defect, steps in WRITTEN.items() if defect in PLANTED
}
RACING: dict[str, Sequence[Step]] = {
    defect: script(*steps) for defect, steps in WRITTEN.items() if defect in RACES
}
"""The histories of both."""

TOLD = (
    "completion_without_token",
    "done_overwritten_by_failed",
    "foreign_message_fails_job",
    "lease_as_long_as_visibility",
    "lease_cut_to_the_second",
    "lease_edge_excluded",
    "published_before_commit",
    "refused_delivery_deletes_message",
    "running_job_reentered",
    "running_jobs_skipped_at_receive",
    "sweep_never_marks",
)
"""Defects whose reports differ most: what a run prints and saves is looked at for these, word for word."""
