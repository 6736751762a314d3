"""The numbers of the deployed system, once each, and the same on both sides of the binding.

The gate report derives them from one another (lease = visibility timeout less a margin of 60 s).  If
the system and the lifecycle it is judged by disagreed, every run would judge the wrong system.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest

import models_under_test
from models_under_test import domain
from models_under_test.binding import AIJobsBinding, MessagingBinding, PipelineBinding, VideoBinding
from models_under_test.defects import STORIES
from models_under_test.domain import JobStatus, NotificationStatus, VideoStatus
from statemachine.lifecycle import Answer, Lifecycle, Operation

HERE = Path(models_under_test.__file__).parent


def test_the_numbers_of_the_gate_report() -> None:
    assert domain.VISIBILITY_SECONDS == 3600
    assert domain.LEASE_MARGIN_SECONDS == 60
    assert domain.LEASE_SECONDS == domain.VISIBILITY_SECONDS - domain.LEASE_MARGIN_SECONDS == 3540
    assert domain.INFERENCE_CAP_SECONDS == domain.VISIBILITY_SECONDS
    assert domain.MAX_RECEIVES == 3
    assert domain.RECOVER_AFTER_SECONDS == 60


def test_the_system_is_judged_by_its_own_numbers() -> None:
    ours = AIJobsBinding().lifecycle
    assert ours.lease_seconds == domain.LEASE_SECONDS
    assert ours.visibility_seconds == domain.VISIBILITY_SECONDS
    assert ours.visibility_seconds - ours.lease_seconds == domain.LEASE_MARGIN_SECONDS
    assert ours.max_receives == domain.MAX_RECEIVES
    assert ours.inference_cap_seconds == domain.INFERENCE_CAP_SECONDS
    assert ours.recover_after_seconds == domain.RECOVER_AFTER_SECONDS
    assert ours.late_completion is Answer.ACCEPTED
    extends = Lifecycle().offers | {Operation.EXTEND}
    assert ours == Lifecycle(offers=extends), "the other defaults are the deployed system's"


@pytest.mark.parametrize(
    ("binding", "statuses"),
    [(AIJobsBinding, JobStatus), (VideoBinding, VideoStatus), (MessagingBinding, NotificationStatus)],
)
def test_a_pipeline_is_judged_by_its_own_statuses(
    binding: type[PipelineBinding], statuses: type[StrEnum]
) -> None:
    ours = binding().lifecycle
    named = [ours.pending, ours.retrying, ours.running, ours.done, ours.failed]
    assert named == [status.value for status in statuses]
    assert ours.terminal == binding.pipeline.statuses.terminal == set(named[3:])


@pytest.mark.parametrize("binding", [VideoBinding, MessagingBinding])
def test_all_pipelines_are_judged_by_the_same_numbers(binding: type[PipelineBinding]) -> None:
    ours = AIJobsBinding().lifecycle
    assert replace(binding().lifecycle, **AIJobsBinding.pipeline.statuses._asdict()) == ours


def mentions(source: str) -> list[str]:
    """The words of ``source`` that betray knowledge of planted defects."""
    words = "|".join(["defect", *map(re.escape, STORIES)])
    return re.findall(rf"\w*(?:{words})\w*", source, flags=re.IGNORECASE)


def test_the_correct_code_does_not_know_of_its_defects() -> None:
    modules = [
        path
        for path in HERE.rglob("*.py")
        if path.name not in ("binding.py", "fleets.py")
        and not {"defects", "variants"} & set(path.relative_to(HERE).parts)
    ]
    assert {"repositories.py", "use_cases.py", "delivery.py"} <= {path.name for path in modules}
    for path in modules:
        assert mentions(path.read_text(encoding="utf-8")) == [], path
    assert mentions((HERE / "binding.py").read_text(encoding="utf-8")), "the scan sees what is there"


def test_every_defect_is_offered_with_its_story() -> None:
    files = {path.stem for path in (HERE / "defects").glob("*.py") if not path.stem.startswith("__")}
    assert set(AIJobsBinding().defects) == files
    assert all(story.strip() for story in STORIES.values())
