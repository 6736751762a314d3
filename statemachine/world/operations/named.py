"""What a named operation is, and what its plan may ask of the state.

Each operation has *offers* (when it is worth playing, with a weight) beside its *plan* (what it needs, and
what it does).  The machine draws from the offers of the present state; a replay or a hand-written script
plans any step, and gets :class:`NotPossible` when the state does not allow it.  Nothing here judges, and
nothing here is random.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, NamedTuple, get_type_hints

from statemachine.binding import Delivery
from statemachine.history.foreign import Check, Unfit, brief, check_for, fit
from statemachine.lifecycle import Operation
from statemachine.world.example import Example
from statemachine.world.faults import Strike
from statemachine.world.workers import Slot

A_WORKER = "a worker"
"""``made_by`` of an operation whose argument ``worker`` names the actor."""
APPLICATION, PUBLISHER, SWEEP, STRAY = "application", "publisher", "sweep", "stray"
"""The actors that call the system under test, beside the workers."""

LIVE_JOBS = 2
"""Unfinished jobs in an example at a time: collisions find bugs, volume does not.

In trials on the 16 hardest defects two jobs found 302 of 320, one job 282.
"""


class NotPossible(Exception):
    """The state does not allow this step; the message says why."""


class Unplayable(NotPossible):
    """No state allows this step: there is no such operation, or it takes no such arguments."""


class Strikes(NamedTuple):
    """Strikes that are worth trying, with their weights."""

    each: tuple[Strike, ...] = ()
    ends: tuple[int, ...] = (0,)
    """Running sums of the weights, so that a drawn number finds its strike by bisection."""


class Offer(NamedTuple):
    """An operation worth playing now, and how likely it is beside the others.

    Weights are tuned on seeds 0-19 only; what they find is reported on seeds 100-119.
    """

    weight: int
    """Of the undisturbed call; its strikes have weights of their own."""
    operation: str
    undisturbed: dict[str, Any]
    """The step's arguments without a strike."""
    strikes: Strikes = Strikes()
    strike: Strike | None = None
    """The one that was chosen; None for the undisturbed call."""

    @property
    def whole_weight(self) -> int:
        """The weight of the undisturbed call and of all its strikes."""
        return self.weight + self.strikes.ends[-1]

    def at(self, place: int) -> Offer:
        """Return the variant for a number below :attr:`whole_weight`; the lowest are the undisturbed call."""
        if place < self.weight:
            return self
        return self._replace(strike=self.strikes.each[bisect_right(self.strikes.ends, place - self.weight)])

    def variants(self) -> list[Offer]:
        """Return the undisturbed call, then the same call with each of its strikes."""
        return [self, *(self._replace(strike=strike) for strike in self.strikes.each)]

    @property
    def arguments(self) -> dict[str, Any]:
        """The step's arguments, those that name its strike included."""
        if self.strike is None:
            return self.undisturbed
        place = {} if self.strike.at == 1 else {"at": self.strike.at}
        return {**self.undisturbed, "fault": self.strike.fault.value, **place}


Offers = Iterator[Offer]
Play = Callable[[], None]


@dataclass(frozen=True, slots=True)
class NamedOperation:
    """One thing that can happen next: its offers and its plan."""

    name: str
    offers: Callable[[Example], Offers]
    """The variants worth playing in the present state, in a fixed order."""
    plan: Callable[..., Play]
    """Takes the example and the step's arguments by name; returns what plays the step, or raises."""
    optional: bool
    """Whether it is a fault, which swarm testing switches off in some examples."""
    made_by: str
    """The actor of its calls on the system; :data:`A_WORKER` if an argument names it, empty for no calls."""
    parameters: Mapping[str, Check]
    """What its plan takes beside the example: by name, the check by its annotation."""
    needs: tuple[str, ...]
    """Those of :attr:`parameters` that have no default."""

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raise :class:`Unplayable` unless ``arguments`` are those that the plan takes, with its types."""
        for name in arguments:
            if name not in self.parameters:
                takes = ", ".join(self.parameters) or "nothing"
                raise Unplayable(f"{self.name} does not take {brief(name)}; it takes {takes}")
        missing = [name for name in self.needs if name not in arguments]
        if missing:
            raise Unplayable(f"{self.name} needs {' and '.join(missing)}")
        for name, value in arguments.items():
            try:
                fit(name, value, self.parameters[name])
            except Unfit as error:
                raise Unplayable(f"{self.name}: {error}") from None

    def maker(self, arguments: Mapping[str, Any]) -> str:
        """Return the actor of a step with these arguments; empty if it makes no calls."""
        return str(arguments["worker"]) if self.made_by == A_WORKER else self.made_by


def operation(
    offers: Callable[[Example], Offers], *, optional: bool = False, made_by: str = ""
) -> Callable[[Callable[..., Play]], NamedOperation]:
    """Turn a plan into a named operation; the plan's name is the step's name in a history."""

    def make(plan: Callable[..., Play]) -> NamedOperation:
        taken = list(signature(plan).parameters.values())[1:]
        hints = get_type_hints(plan)
        checks = {one.name: check_for(hints[one.name]) for one in taken}
        needs = tuple(one.name for one in taken if one.default is one.empty)
        return NamedOperation(plan.__name__, offers, plan, optional, made_by, checks, needs)

    return make


def slot_of(example: Example, worker: str) -> Slot[Delivery]:
    if worker not in example.workers:
        raise Unplayable(f"there is no worker {worker}; there are {', '.join(example.workers)}")
    if worker in example.in_flight:
        raise NotPossible(f"worker {worker} is in the middle of its {example.in_flight[worker].operation}")
    return example.workers[worker]


def delivery_at(example: Example, worker: str, step: str) -> tuple[Slot[Delivery], Delivery]:
    slot = slot_of(example, worker)
    if slot.delivery is None or slot.next_step != step:
        raise NotPossible(f"worker {worker}'s next step is {slot.next_step or 'to receive'}, not {step}")
    return slot, slot.delivery


def idle_slot(example: Example, worker: str) -> Slot[Delivery]:
    slot = slot_of(example, worker)
    if not slot.is_idle:
        raise NotPossible(f"worker {worker} is not idle: its next step is {slot.next_step}")
    return slot


def known_job(example: Example, job: str) -> None:
    if job not in example.jobs:
        raise NotPossible(f"there is no job {job}")


def present(places: Container[str], message: str, where: str) -> None:
    if message not in places:
        raise NotPossible(f"there is no message {message} {where}")


def at_step(example: Example, step: str) -> Iterator[Slot[Delivery]]:
    busy = example.in_flight
    return (slot for slot in example.workers.values() if slot.next_step == step and slot.name not in busy)


def first_idle(example: Example) -> str | None:
    # Idle workers are alike, so only the first is offered: a choice less to make and to shrink.
    busy = example.in_flight
    return next(
        (slot.name for slot in example.workers.values() if slot.is_idle and slot.name not in busy), None
    )


def other_tenant(example: Example, job: str) -> str:
    """Return a tenant that does not own ``job``, nor will own it once its create commits."""
    row, owner = example.ledger.rows.get(job), tenant_in_flight(example, job)
    known = row.tenant if row is not None else owner
    return next(tenant for tenant in example.binding.tenants if tenant != known)


def tenant_in_flight(example: Example, job: str) -> str | None:
    """Return the tenant of a ``job`` whose create is in flight; None if none is."""
    for flying in example.in_flight.values():
        if flying.job == job and flying.operation == Operation.CREATE:
            return example.ledger.calls[flying.call].invoked.tenant
    return None
