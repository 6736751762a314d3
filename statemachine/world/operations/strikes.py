"""Which faults may strike which operation, at which place and how likely, and how a step names a strike.

A strike at a place that the call never reaches (its third statement, when it makes two) does nothing, so
the same table serves systems that make a few more statements and commits than the model.  A fourth
statement or a third commit of one finish is not struck.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from statemachine.world.faults import Fault, Strike
from statemachine.world.operations.named import Offer, Strikes, Unplayable

Weighed = tuple[tuple[Strike, int], ...]


def _each(fault: Fault, places: Iterable[int], weight: int = 1) -> Weighed:
    return tuple((Strike(fault, at), weight) for at in places)


_AT_COMMIT: Weighed = (
    *_each(Fault.KILL_AFTER_COMMIT, [1], 2),
    *_each(Fault.ANSWER_LOST, [1], 2),
    *_each(Fault.KILL_BEFORE_COMMIT, [1], 2),
    *_each(Fault.ERROR_BEFORE_COMMIT, [1], 2),
)
_AT_SECOND_COMMIT: Weighed = (
    *_each(Fault.KILL_AFTER_COMMIT, [2]),
    *_each(Fault.ERROR_BEFORE_COMMIT, [2]),
)
_AT_STATEMENT: Weighed = (
    *_each(Fault.KILL_BEFORE_STATEMENT, [1, 2, 3]),
    *_each(Fault.ERROR_BEFORE_STATEMENT, [1, 2, 3]),
)
_AFTER_PORT_CALL = _each(Fault.KILL_AFTER_PORT_CALL, [1])
_PORT_CALL_FAILS = _each(Fault.ERROR_IN_PORT_CALL, [1])
_IN_A_DELIVERY: Weighed = (*_AT_COMMIT, *_AT_SECOND_COMMIT, *_AT_STATEMENT, *_AFTER_PORT_CALL)

WEIGHED: dict[str, Weighed] = {
    "create": (
        *_AT_COMMIT,
        *_each(Fault.KILL_BEFORE_STATEMENT, [1]),
        *_each(Fault.ERROR_BEFORE_STATEMENT, [1]),
        *_AFTER_PORT_CALL,
        *_PORT_CALL_FAILS,
    ),
    "publish": (
        *_AT_COMMIT,
        *_each(Fault.KILL_BEFORE_STATEMENT, [1]),
        *_each(Fault.ERROR_BEFORE_STATEMENT, [1]),
        *_each(Fault.KILL_AFTER_PORT_CALL, [1], 2),
        *_each(Fault.KILL_BEFORE_PORT_CALL, [1]),
        *_each(Fault.ERROR_IN_PORT_CALL, [1], 2),
        *_each(Fault.SEND_DELAYED, [1], 2),
    ),
    "prepare": _IN_A_DELIVERY,
    "complete": _IN_A_DELIVERY,
    "fail": _IN_A_DELIVERY,
    "release": _IN_A_DELIVERY,
    "close": _IN_A_DELIVERY,
    "renew": _AT_COMMIT,
    "extend": (*_AFTER_PORT_CALL, *_PORT_CALL_FAILS),
    "acknowledge": (
        *_each(Fault.KILL_AFTER_PORT_CALL, [1], 2),
        *_each(Fault.DELETE_LOST, [1], 2),
        *_PORT_CALL_FAILS,
    ),
    # A sweep that finds two jobs reads, sends, writes, sends and writes: its later places matter.  Where
    # it reads without a transaction its first commit is that of the first job, and a second one is rare.
    "recover": (
        *_each(Fault.KILL_BEFORE_PORT_CALL, [1, 2], 2),
        *_each(Fault.KILL_AFTER_PORT_CALL, [1, 2], 2),
        *_each(Fault.KILL_AFTER_COMMIT, [1, 2]),
        *_each(Fault.KILL_BEFORE_COMMIT, [1, 2]),
        *_each(Fault.ERROR_BEFORE_COMMIT, [1, 2], 2),
        *_each(Fault.ANSWER_LOST, [1, 2]),
        *_each(Fault.KILL_BEFORE_STATEMENT, [1, 2]),
        *_each(Fault.ERROR_BEFORE_STATEMENT, [1, 2]),
        *_each(Fault.ERROR_IN_PORT_CALL, [1, 2], 2),
    ),
}
"""By operation, in the order in which they are offered, after the undisturbed call."""


STRIKES = {
    operation: Strikes(
        tuple(strike for strike, _ in weighed), tuple(accumulate(weight for _, weight in weighed))
    )
    for operation, weighed in WEIGHED.items()
}


def with_faults(weight: int, operation: str, arguments: dict[str, Any]) -> Offer:
    """Return an offer of the operation, undisturbed or struck by one of its faults in :data:`WEIGHED`."""
    return Offer(weight, operation, arguments, STRIKES[operation])


def strike_named(fault: str | None, at: int = 1) -> Strike | None:
    """Return the strike that a step's arguments name; raise ``Unplayable`` for an unknown fault or place."""
    if fault is None:
        return None
    try:
        named = Fault(fault)
    except ValueError:
        raise Unplayable(f"there is no fault {fault}; there are {', '.join(Fault)}") from None
    if type(at) is not int or at < 1:
        raise Unplayable(f"{fault} at place {at!r}: places are counted from 1")
    return Strike(named, at)
