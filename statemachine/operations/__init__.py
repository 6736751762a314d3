"""The named operations: what can happen next, how likely, and how it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statemachine.example import Example
from statemachine.operations import creation, deliveries, messages, publishing, strays, time
from statemachine.operations.named import LIVE_JOBS, NamedOperation, NotPossible, Offer, Unplayable

OPERATIONS: dict[str, NamedOperation] = {
    named.name: named
    for named in (
        deliveries.receive,
        deliveries.prepare,
        deliveries.extend,
        deliveries.renew,
        deliveries.complete,
        deliveries.fail,
        deliveries.release,
        deliveries.close,
        deliveries.acknowledge,
        time.advance_to,
        time.wait,
        publishing.publish,
        publishing.recover,
        messages.redrive,
        deliveries.duplicate,
        deliveries.kill_worker,
        publishing.kill_publisher,
        messages.bring_back,
        messages.forge,
        messages.send_malformed,
        time.skew_clock,
        strays.stray,
        strays.mark_running,
        # Creation comes last: a failure should not shrink towards needless jobs.
        creation.create,
        creation.create_again,
    )
}
"""By name, in the order in which they are offered: what comes first is what a failure shrinks to."""


def perform(example: Example, operation: str, arguments: Mapping[str, Any], key: int | None = None) -> None:
    """Play one named operation as one step; ``key`` is the step's number in a history that is replayed.

    Raises :class:`NotPossible`, before anything has happened, when the state does not allow it.
    """
    named = OPERATIONS.get(operation)
    if named is None:
        raise Unplayable(f"there is no operation {operation}; there are {', '.join(OPERATIONS)}")
    try:
        play = named.plan(example, **arguments)
    except TypeError as error:
        raise Unplayable(f"{operation} does not take {arguments}: {error}") from None
    example.begin_step(operation, dict(arguments), key)
    play()


__all__ = ["LIVE_JOBS", "OPERATIONS", "NamedOperation", "NotPossible", "Offer", "Unplayable", "perform"]
