"""Publisher and sweep: a committed job finds its way into the queue, once at least."""

from __future__ import annotations

from statemachine.example import Example
from statemachine.lifecycle import Operation
from statemachine.operations.named import Offer, Offers, Play, fault_named, operation, present, with_faults


def _publish_offers(example: Example) -> Offers:
    for job in example.to_publish:
        yield from with_faults(16, "publish", {"job": job})


@operation(_publish_offers)
def publish(example: Example, job: str, fault: str | None = None) -> Play:
    """The publisher sends a committed job's message and remembers that it did."""
    present(example.to_publish, job, "waiting to be published")
    strike = fault_named(fault)
    tenant = example.to_publish[job]

    def play() -> None:
        example.call(
            Operation.PUBLISH,
            lambda: example.binding.publish(job, tenant),
            actor="publisher",
            job=job,
            tenant=tenant,
            fault=strike,
        )
        example.to_publish.pop(job, None)

    return play


def _recover_offers(example: Example) -> Offers:
    for job, since in example.created_at.items():
        row = example.ledger.rows.get(job)
        due = row is not None and row.status == example.lifecycle.pending and row.published_at is None
        if due and example.now >= since + example.lifecycle.recover_after_seconds:
            yield Offer(8, "recover", {})
            return


@operation(_recover_offers)
def recover(example: Example) -> Play:
    """The sweep looks for jobs whose publisher has died, and sends them."""
    return lambda: example.call(Operation.RECOVER, example.binding.recover, actor="sweep")


def _kill_publisher_offers(example: Example) -> Offers:
    for job in example.to_publish:
        yield Offer(1, "kill_publisher", {"job": job})


@operation(_kill_publisher_offers, optional=True)
def kill_publisher(example: Example, job: str) -> Play:
    """The process that was to publish a committed job dies before it has sent anything."""
    present(example.to_publish, job, "waiting to be published")
    return lambda: example.lose_publication(job)
