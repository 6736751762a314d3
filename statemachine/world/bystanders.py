"""Jobs that no example knows: made once a run, so that code which touches other rows has some to touch.

What becomes of them is seen by the binding's ``others`` only, an aggregate: that something changed,
not what.
"""

from __future__ import annotations

from statemachine.binding import Binding

BYSTANDERS = ("bystander-waiting", "bystander-failed", "bystander-done")


def settle(binding: Binding) -> None:
    """Create one job that waits, one that has failed and one that is done, all of them published.

    None that runs: its lease would end in every example, and be anybody's business then.

    The binding must be open, and the world must be there to take their messages.
    """
    tenant = binding.tenants[0]
    for job in BYSTANDERS:
        binding.create(job, tenant)
        binding.publish(job, tenant)
    _, failed, done = BYSTANDERS
    for job, finish in ((failed, binding.fail), (done, binding.complete)):
        attempt = binding.mark_running(job, tenant)
        if attempt is not None:
            finish(job, tenant, attempt, "long ago")
