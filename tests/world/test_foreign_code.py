"""Systems that were not written for the verifier: what they return or raise loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from models_under_test.models import AIJob
from statemachine.binding import DEFAULT_BINDING
from statemachine.history import events as history
from statemachine.history import ndjson
from statemachine.history.ndjson import Header
from statemachine.lifecycle import Answer
from statemachine.world.lane import Lane
from statemachine.world.operations import perform

PREPARED = (
    ("create", {"job": "j1", "tenant": "t1"}),
    ("publish", {"job": "j1"}),
    ("receive", {"worker": "A", "message": "m2"}),
    ("prepare", {"worker": "A"}),
)


def test_what_a_create_returns_is_no_refusal_and_can_be_saved(lane: Lane) -> None:
    binding: Any = lane.binding
    create = binding.create

    def create_and_return(job: str, tenant: str) -> AIJob:
        create(job, tenant)
        return AIJob.objects.get(job_id=job)

    binding.create = create_and_return
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    assert example.events[-1] == history.Returned(0, 1, Answer.ACCEPTED)
    assert ndjson.dumps(Header(DEFAULT_BINDING, binding.lifecycle), example.events)


class Crashing:
    """A delivery that fails in the step it is asked for."""

    def __init__(self, next_step: str) -> None:
        self.next_step = next_step

    def receive(self) -> bool:
        raise ValueError("no such queue")

    acknowledge = receive


@pytest.mark.parametrize("step", ["receive", "acknowledge"])
def test_a_worker_that_dies_of_its_own_error_is_a_dead_worker(step: str, lane: Lane) -> None:
    example = lane.begin()
    for operation, arguments in PREPARED:
        perform(example, operation, arguments)
    if step == "receive":
        binding: Any = lane.binding
        binding.deliver = lambda worker, queue: Crashing(step)
        perform(example, "duplicate", {"worker": "B", "message": "m2"})
    else:
        slot: Any = example.workers["A"]
        slot.delivery = Crashing(step)
        perform(example, "acknowledge", {"worker": "A"})
    last = example.events[-1]
    assert isinstance(last, history.Killed)
    assert last.boundary == f"ValueError in {step}: no such queue"


def test_rows_come_in_the_order_of_creation_whatever_the_query_says(lane: Lane) -> None:
    binding: Any = lane.binding
    observe = binding.observe
    binding.observe = lambda jobs: sorted(observe(jobs), reverse=True)
    example = lane.begin()
    for job, tenant in (("j1", "t1"), ("j2", "t2")):
        perform(example, "create", {"job": job, "tenant": tenant})
        perform(example, "publish", {"job": job})
    assert list(example.ledger.rows) == ["j1", "j2"]
