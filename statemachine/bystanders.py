"""Jobs that no example knows: made once a run, so that code which touches other rows has some to touch.

What becomes of them is seen by the binding's ``others`` only, an aggregate: that something changed,
not what.
"""

from __future__ import annotations

from statemachine.binding import Binding

BYSTANDERS = ("bystander-waiting", "bystander-running", "bystander-done")


def settle(binding: Binding) -> None:
    """Create one job that waits, one that runs and one that is done, all of them published.

    The binding must be open, and the world must be there to take their messages.
    """
    tenant = binding.tenants[0]
    for job in BYSTANDERS:
        binding.create(job, tenant)
        binding.publish(job, tenant)
    _, running, done = BYSTANDERS
    binding.mark_running(running, tenant)
    attempt = binding.mark_running(done, tenant)
    if attempt is not None:
        binding.complete(done, tenant, attempt, "done long ago")
