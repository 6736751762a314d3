"""Rows that no example knows: the same for each, and an operation that touches one is caught."""

from __future__ import annotations

from models_under_test.models import AIJob
from statemachine.world.lane import Lane
from statemachine.world.operations.drain import drain


def test_bystanders_are_as_they_were_for_every_example(lane: Lane) -> None:
    first = lane.begin().events[0]
    AIJob.objects.filter(job_id="bystander-failed").update(status="DONE")
    assert lane.begin().events == [first]
    AIJob.objects.filter(job_id="bystander-done").delete()
    assert lane.begin().events == [first]


def test_an_operation_that_touches_a_bystander_is_caught_at_the_end(lane: Lane) -> None:
    example = lane.begin()
    AIJob.objects.filter(job_id="bystander-waiting").update(published_at=None)
    drain(example)
    headline = example.judge.headline()
    assert headline is not None
    assert headline.invariant == "an_operation_touches_only_its_job"
