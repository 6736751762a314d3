"""The named operations: what can happen next, how likely, and how it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statemachine.world.example import Example
from statemachine.world.operations import creation, deliveries, messages, publishing, statements, strays, time
from statemachine.world.operations.named import LIVE_JOBS, NamedOperation, NotPossible, Offer, Unplayable

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
        statements.proceed,
        statements.kill_in_flight,
    )
}
"""By name, in the order in which they are offered: what comes first is what a failure shrinks to."""

STEPWISE = "stepwise"
"""The argument of any step that makes calls, by which it is stopped before each of its SQL statements."""


def perform(example: Example, operation: str, arguments: Mapping[str, Any], key: int | None = None) -> None:
    """Play one named operation as one step; ``key`` is the step's number in a history that is replayed.

    Raises :class:`NotPossible`, before anything has happened, when the state does not allow it.
    """
    named = OPERATIONS.get(operation)
    if named is None:
        raise Unplayable(f"there is no operation {operation}; there are {', '.join(OPERATIONS)}")
    given = dict(arguments)
    stepwise = bool(given.pop(STEPWISE, False))
    try:
        play = named.plan(example, **given)
    except TypeError as error:
        raise Unplayable(f"{operation} does not take {arguments}: {error}") from None
    made_by = named.maker(given)
    if made_by or stepwise:
        _check_room(example, made_by, stepwise)
    example.begin_step(operation, dict(arguments), key)
    example.lane.play(play, made_by, stepwise)


def _check_room(example: Example, made_by: str, stepwise: bool) -> None:
    most = example.lane.most_in_flight
    if stepwise and not most:
        raise NotPossible("in this lane operations run whole, and statement by statement on PostgreSQL only")
    if stepwise and not made_by:
        raise Unplayable("what makes no call on the system has no statements that it could be stopped before")
    if most and len(example.in_flight) >= most:
        raise NotPossible(f"{' and '.join(example.in_flight)} are in flight: one of them must end first")


__all__ = [
    "LIVE_JOBS",
    "OPERATIONS",
    "STEPWISE",
    "NamedOperation",
    "NotPossible",
    "Offer",
    "Unplayable",
    "perform",
]
