"""The named operations: everything that can happen next in an example.

To add an operation:

1. Write its *plan* in the module of its kind (``deliveries``, ``publishing``, ``messages``, ``time`` ...): a
   function that checks whether the state allows the step, raises ``NotPossible`` if not, and returns what
   plays it.  Its name is the step's name in histories.
2. Write its *offers* beside it: when it is worth playing, and with what weight beside the others.
3. Join the two with ``@operation(offers)``, and add the result to :data:`OPERATIONS` below.
   ``optional=True`` makes it a fault that swarm testing leaves out of some examples; ``made_by`` names the
   actor, if the step calls the system under test.
4. Where its events do not say what it did, ``report/text/phrases.py`` gives it a phrase for reports;
   ``history/reach.py`` lists it if every run must have met it.

To add a fault of a call (a kill, an error, a lost answer):

1. Add a member to ``Fault`` in ``world/faults.py``, and its place to ``PLACES`` there; to ``DATABASE_ERRORS``
   if the caller sees it as an error of its database.  A fault that is the queue's own doing has no place:
   ``world/ports.py`` asks for it with ``planned``.
2. Say in ``strikes.WEIGHED`` which operations it may strike, where and how often.
3. ``history/reach.py`` again, and the table of faults in ``docs/embedded.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from statemachine.history.foreign import MOST_IN_NAME, brief
from statemachine.world.example import Example
from statemachine.world.hangs import step_of, watched
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
"""By name, in the order in which they are offered: a failure shrinks towards those that come first."""

STEPWISE = "stepwise"
"""Argument of a step that makes calls: whether it stops before each of its SQL statements."""


def check_step(operation: str, arguments: Mapping[str, Any]) -> NamedOperation:
    """Return the named operation; raise :class:`Unplayable` when there is none that takes these arguments."""
    named = OPERATIONS.get(operation) if isinstance(operation, str) else None
    if named is None:
        said = operation[:MOST_IN_NAME] if isinstance(operation, str) else brief(operation)
        raise Unplayable(f"there is no operation {said}; there are {', '.join(OPERATIONS)}")
    given = dict(arguments)
    if not isinstance(given.pop(STEPWISE, False), bool):
        raise Unplayable(
            f"{operation}: {STEPWISE} is {brief(arguments[STEPWISE])}, and must be true or false"
        )
    named.check(given)
    return named


def perform(example: Example, operation: str, arguments: Mapping[str, Any], key: int | None = None) -> None:
    """Play one named operation as one step.

    ``key`` is the number that the step has in a history that is replayed; None for a new step.

    Raise :class:`NotPossible`, before anything has happened, when the state does not allow the step, and
    :class:`Unplayable` when no state would.  Raise :class:`~statemachine.world.exits.GivenUp` when the step
    does not end, or would end the process.
    """
    named = check_step(operation, arguments)
    given = dict(arguments)
    stepwise = given.pop(STEPWISE, False)
    play = named.plan(example, **given)
    made_by = named.maker(given)
    if made_by or stepwise:
        _check_room(example, made_by, stepwise)
    with watched(partial(step_of, example)):
        example.begin_step(operation, dict(arguments), key)
        example.lane.play(play, made_by, stepwise)


def _check_room(example: Example, made_by: str, stepwise: bool) -> None:
    most = example.lane.most_in_flight
    if stepwise and not most:
        raise NotPossible("in this lane operations run whole, and statement by statement on PostgreSQL only")
    if stepwise and not made_by:
        raise Unplayable("this step makes no call on the system, so there is no statement to stop it before")
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
    "check_step",
    "perform",
]
