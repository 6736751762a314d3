"""Time passes: to a deadline, or by some seconds."""

from __future__ import annotations

from collections.abc import Iterator

from statemachine.world.example import Example
from statemachine.world.operations import deadlines
from statemachine.world.operations.named import (
    NotPossible,
    Offer,
    Offers,
    Play,
    Unplayable,
    operation,
    slot_of,
)

YEAR = 365 * 24 * 3600


def _check_at_rest(example: Example) -> None:
    """Statements take milliseconds: while an operation is between two of them, no time passes."""
    if example.in_flight:
        raise NotPossible(f"no time passes while {' and '.join(example.in_flight)} are in flight")


def _advance_offers(example: Example) -> Offers:
    if example.in_flight:
        return
    for deadline in deadlines.ahead(example):
        # The edge itself comes first: a failure that happens at all three is reported at the edge.
        for offset in (0, -1, 1, *_as_skewed_clocks_see_it(example)):
            if deadline.at + offset > example.now:
                yield Offer(
                    deadline.weight,
                    "advance_to",
                    {"deadline": deadline.kind, "of": deadline.of, "offset": offset},
                )


def _as_skewed_clocks_see_it(example: Example) -> Iterator[int]:
    for skew in sorted({int(skew) for skew in example.ledger.skews.values() if skew}):
        yield from (-skew, -skew - 1, -skew + 1)


@operation(_advance_offers)
def advance_to(example: Example, deadline: str, of: str, offset: int = 0) -> Play:
    """Time passes until ``offset`` seconds from a deadline that the state holds."""
    if not -YEAR < offset < YEAR:
        raise Unplayable(f"an offset of {offset} s is no offset from a deadline: give less than a year")
    if deadline not in deadlines.KINDS:
        raise Unplayable(f"there is no deadline {deadline}; there are {', '.join(deadlines.KINDS)}")
    _check_at_rest(example)
    due = deadlines.find(example, deadline, of)
    if due is None:
        raise NotPossible(f"there is no {deadline} of {of} ahead")
    if due + offset <= example.now:
        raise NotPossible(f"the {deadline} of {of} at {due:g} {offset:+g} is not ahead of {example.now:g}")
    return lambda: example.move_clock(due + offset)


def _wait_offers(example: Example) -> Offers:
    if example.in_flight:
        return
    # Half a second finds code that cuts time to whole ones.
    for seconds in (1, 30, 600, 0.5):
        yield Offer(2, "wait", {"seconds": seconds})


@operation(_wait_offers)
def wait(example: Example, seconds: float) -> Play:
    """Some seconds pass, aimed at no deadline."""
    if not 0 < seconds < YEAR:
        raise Unplayable(f"wait for {seconds} s: time moves forward, and by less than a year at a time")
    _check_at_rest(example)
    return lambda: example.move_clock(example.now + seconds)


def _skew_offers(example: Example) -> Offers:
    limit = example.clock_skew_seconds
    for worker in example.workers if limit else ():
        if not example.ledger.skews.get(worker):
            for seconds in (limit, -limit):
                yield Offer(2, "skew_clock", {"worker": worker, "seconds": seconds})


@operation(_skew_offers, optional=True)
def skew_clock(example: Example, worker: str, seconds: float) -> Play:
    """A worker's clock is ``seconds`` ahead from now on (behind, if negative)."""
    slot_of(example, worker)
    if not -YEAR < seconds < YEAR:
        raise Unplayable(f"a clock that is wrong by {seconds} s: say less than a year")
    return lambda: example.skew_clock(worker, seconds)
