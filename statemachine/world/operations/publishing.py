"""Publisher and sweep: each committed job gets a message in the queue, at least one."""

from __future__ import annotations

from statemachine.lifecycle import Operation
from statemachine.world.example import Example
from statemachine.world.operations import deadlines
from statemachine.world.operations.named import (
    PUBLISHER,
    SWEEP,
    NotPossible,
    Offer,
    Offers,
    Play,
    operation,
    present,
)
from statemachine.world.operations.strikes import strike_named, with_faults


def _waiting(example: Example) -> list[str]:
    """Return the jobs that were handed to the publisher and whose publication has not begun."""
    begun = {flying.job for flying in example.in_flight.values() if flying.operation == Operation.PUBLISH}
    return [job for job in example.to_publish if job not in begun]


def _publish_offers(example: Example) -> Offers:
    for job in _waiting(example):
        yield with_faults(32, "publish", {"job": job})


@operation(_publish_offers, made_by=PUBLISHER)
def publish(example: Example, job: str, fault: str | None = None, at: int = 1) -> Play:
    """The publisher sends a committed job's message and remembers that it did."""
    present(_waiting(example), job, "waiting to be published")
    strike = strike_named(fault, at)
    tenant = example.to_publish[job]

    def play() -> None:
        example.call(
            Operation.PUBLISH,
            lambda: example.binding.publish(example.ids.of(job), tenant),
            actor=PUBLISHER,
            job=job,
            tenant=tenant,
            strike=strike,
        )
        example.to_publish.pop(job, None)

    return play


def _recover_offers(example: Example) -> Offers:
    if not example.lifecycle.has(Operation.RECOVER) or not example.jobs:
        return
    due = [deadlines.find(example, "recovery", job) for job in example.jobs]
    if any(moment is not None and moment <= example.now for moment in due):
        yield with_faults(16, "recover", {})
    else:
        yield Offer(1, "recover", {})


@operation(_recover_offers, made_by=SWEEP)
def recover(example: Example, fault: str | None = None, at: int = 1) -> Play:
    """The sweep looks for jobs whose publisher has died, and sends them."""
    if not example.lifecycle.has(Operation.RECOVER):
        raise NotPossible("this system has no sweep: its lifecycle says so")
    strike = strike_named(fault, at)

    def play() -> None:
        example.call(Operation.RECOVER, example.binding.recover, actor=SWEEP, strike=strike)

    return play


def _kill_publisher_offers(example: Example) -> Offers:
    for job in _waiting(example):
        yield Offer(2, "kill_publisher", {"job": job})


@operation(_kill_publisher_offers, optional=True)
def kill_publisher(example: Example, job: str) -> Play:
    """The process that was to publish a committed job dies before it has sent anything."""
    present(_waiting(example), job, "waiting to be published")
    return lambda: example.lose_publication(job)
