"""What happens to messages without a worker: redrive, return after a delete, and messages without a job."""

from __future__ import annotations

from statemachine.world.example import Example
from statemachine.world.operations.named import (
    LIVE_JOBS,
    NotPossible,
    Offer,
    Offers,
    Play,
    operation,
    other_tenant,
    present,
)


def _redrive_offers(example: Example) -> Offers:
    for message in example.queue.dead.values():
        if not message.forged:
            yield Offer(8, "redrive", {"message": message.name})


@operation(_redrive_offers)
def redrive(example: Example, message: str) -> Play:
    """An operator moves a message from the DLQ back into the queue."""
    present(example.queue.dead, message, "in the DLQ")
    return lambda: example.queue.redrive(message, example.new_message())


def _bring_back_offers(example: Example) -> Offers:
    for message in example.queue.deleted:
        yield Offer(2, "bring_back", {"message": message})


@operation(_bring_back_offers, optional=True)
def bring_back(example: Example, message: str) -> Play:
    """A deleted message is visible again, as SQS documents it may be."""
    present(example.queue.deleted, message, "among the deleted ones")
    return lambda: example.queue.bring_back(message)


UNKNOWN_JOB = "j0"
"""An id that no step creates: steps are numbered from 1."""


def _one_is_enough(example: Example) -> bool:
    # At most one message without a job at a time: more of them only crowd out the others.
    return any(message.forged for message in example.queue.messages.values())


def _forge_offers(example: Example) -> Offers:
    if _one_is_enough(example):
        return
    for job in example.jobs[-LIVE_JOBS:]:
        yield Offer(2, "forge", {"job": job, "tenant": other_tenant(example, job)})
    yield Offer(1, "forge", {"job": UNKNOWN_JOB, "tenant": example.binding.tenants[0]})


@operation(_forge_offers, optional=True)
def forge(example: Example, job: str, tenant: str) -> Play:
    """A message arrives that names no job of its tenant."""
    row = example.ledger.rows.get(job)
    if row is not None and row.tenant == tenant:
        raise NotPossible(f"{job} is {tenant}'s own job: a forged message names another tenant or no job")
    return lambda: example.queue.send(example.new_message(), job, tenant, forged=True)


def _malformed_offers(example: Example) -> Offers:
    if not _one_is_enough(example):
        yield Offer(1, "send_malformed", {})


@operation(_malformed_offers, optional=True)
def send_malformed(example: Example) -> Play:
    """A message arrives whose body names neither job nor tenant."""
    return lambda: example.queue.send(example.new_message(), "", "", forged=True)
