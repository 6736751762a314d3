"""The application creates jobs, and repeats the call when it got no answer."""

from __future__ import annotations

from statemachine.lifecycle import Operation
from statemachine.world.example import Example
from statemachine.world.operations.named import (
    APPLICATION,
    LIVE_JOBS,
    NotPossible,
    Offer,
    Offers,
    Play,
    known_job,
    operation,
    tenant_in_flight,
)
from statemachine.world.operations.strikes import strike_named, with_faults


def _create_offers(example: Example) -> Offers:
    live = sum(1 for row in example.ledger.rows.values() if row.status not in example.lifecycle.terminal)
    if live < LIVE_JOBS:
        tenants = example.binding.tenants
        job = f"j{example.next_key()}"
        tenant = tenants[len(example.jobs) % len(tenants)]
        yield with_faults(16 if live else 48, "create", {"job": job, "tenant": tenant})


@operation(_create_offers, made_by=APPLICATION)
def create(example: Example, job: str, tenant: str, fault: str | None = None, at: int = 1) -> Play:
    """The application creates a job and commits; after the commit it is handed to the publisher."""
    if tenant not in example.binding.tenants:
        raise NotPossible(f"there is no tenant {tenant}; there are {', '.join(example.binding.tenants)}")
    strike = strike_named(fault, at)

    def play() -> None:
        if job not in example.jobs:
            example.jobs.append(job)
        example.call(
            Operation.CREATE,
            lambda: example.binding.create(example.ids.of(job), tenant),
            actor=APPLICATION,
            job=job,
            tenant=tenant,
            strike=strike,
        )

    return play


def _create_again_offers(example: Example) -> Offers:
    for job in example.jobs[-LIVE_JOBS:]:
        row = example.ledger.rows.get(job)
        if row is not None:
            yield Offer(2, "create_again", {"job": job, "tenant": row.tenant})
        elif (tenant := tenant_in_flight(example, job)) is not None:
            yield Offer(4, "create_again", {"job": job, "tenant": tenant})


@operation(_create_again_offers, optional=True, made_by=APPLICATION)
def create_again(example: Example, job: str, tenant: str) -> Play:
    """The application creates a job whose id is taken, as it would after a lost answer."""
    known_job(example, job)
    return create.plan(example, job, tenant)
