"""Why a failure happens, found by playing it again with one thing changed at a time.

Each step before the failing one is dropped once, and each fault, that of the failing step too.  Each move
of time is made a second shorter and a second longer.  A failure in which no time passes is also played with
a second between its steps, since a frozen clock makes everything else simultaneous.  Where operations were
in flight at once, all are also played whole, in up to two serial orders.  All jobs are once given to the
other tenant.  A dropped statement takes with it those that its operation executed after it.

Each re-run says what happened in it, and no more.  That the claim breaks without a step shows that the
step is no cause; that it holds does not show that the step is the only cause.  Nothing is put in the
place of a dropped step, so later steps may not be possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from itertools import chain
from typing import Any, NamedTuple

from statemachine.history.events import ClockMoved, StatementBegan, StepBegan
from statemachine.history.in_flight import GOES_ON, KILLED, Flight, flights_of
from statemachine.search.triage.budget import TimeBudget
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import PlayedScript, Step, Steps, in_drain, play, steps_of
from statemachine.search.triage.serial_orders import at_rest_after, carried_on, serially, without
from statemachine.world.exits import GivenUp
from statemachine.world.lane import Lane

TIME_MOVES = {"advance_to": "offset", "wait": "seconds"}
"""The operations that move time, with the argument whose seconds are changed."""


@dataclass(frozen=True, slots=True)
class SameSteps:
    """Nothing changed.  It comes first: if it passes, no other re-run means anything."""


@dataclass(frozen=True, slots=True)
class Without:
    """One step dropped."""

    step: int


@dataclass(frozen=True, slots=True)
class Until:
    """A move of time that ends at another second."""

    step: int
    at: float
    """The second at which it ends, counted from the beginning of the example."""
    edge: str = ""
    """The kind of the deadline that falls exactly then (``lease``), or empty."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Time that passes between any two steps."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Whole:
    """Every operation played whole, in one of two serial orders."""

    by_commit: bool
    """Whether they are ordered by their last COMMITs, and not by their begins."""


@dataclass(frozen=True, slots=True)
class WithoutFault:
    """One step played without the fault that struck it."""

    step: int
    fault: str
    """The name of the fault."""


@dataclass(frozen=True, slots=True)
class OtherTenant:
    """Two tenants exchanged in all steps."""

    tenant: str
    """The one that the first create of the failure names."""
    other: str


Alteration = SameSteps | Without | Until | Apart | Whole | WithoutFault | OtherTenant


class Overlap(Enum):
    """Whether a failure needs two operations at once.

    It says what can mend it: a lock or an isolation level mends ISOLATION only.
    """

    PROTOCOL = auto()
    """A serial order of whole operations breaks the same claim."""
    ISOLATION = auto()
    """No serial order that was tried, at most two, breaks the same claim; another one might."""


class Result(StrEnum):
    """What happened in a re-run."""

    FAILS = "FAILS"
    """The same claim broke."""
    OTHER = "breaks another invariant"
    PASSES = "passes"
    NOT_POSSIBLE = "not possible"
    """The step that was changed, or else the failing one, could not be played."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """One re-run of a failure."""

    change: Alteration
    result: Result
    detail: str = ""
    """The name of the other invariant for OTHER, the reason for NOT_POSSIBLE, else empty."""


class Act(NamedTuple):
    """What a step does with an operation in flight: begins, resumes or kills it."""

    by: str
    """The name of the operation in flight: its worker, ``publisher``, ``stray 2``."""
    does: str
    """The operation that the step begins, or ``proceed``, or ``kill_in_flight``."""
    statement: str = ""
    """The statement that ``proceed`` executes."""


@dataclass(frozen=True, slots=True)
class Why:
    """All re-runs that were made, in a fixed order."""

    reruns: tuple[Rerun, ...]
    wanted: int
    """How many re-runs there would have been without a limit of steps."""
    moves: tuple[Until, ...] = ()
    """The failure's own moves of time, which :class:`SameSteps` played unchanged."""
    acts: Mapping[int, Act] = field(default_factory=dict)
    """The steps that begin, resume or kill an operation in flight, by number; empty without overlap."""
    overlap: Overlap | None = None
    """None where the lane does not see statements, or too few re-runs were made to tell."""

    @property
    def repeats(self) -> bool:
        """Whether the unchanged steps broke the same claim again."""
        return self.reruns[0].result is Result.FAILS


class _Variation(NamedTuple):
    """A script that differs from the failure's by one change."""

    change: Alteration
    steps: Steps
    failing: int
    """The step that breaks the claim."""
    changed: int | None = None
    """The changed step: if it is not possible, the re-run says nothing."""
    lacking: str = ""
    """Why the failing step is not in this script, if it is not."""


def explain(lane: Lane, failure: Failure, budget: int | None = None, time: TimeBudget | None = None) -> Why:
    """Re-run ``failure`` on the open ``lane`` with one thing changed at a time.

    No re-run begins after ``budget`` steps, by default the lane's own limit, or when ``time`` is spent, by
    default a minute; the first one always does.  When the
    unchanged steps do not break the same claim again, they are the only re-run.
    """
    left = lane.steps_to_explain if budget is None else budget
    steps, flights = steps_of(failure), flights_of(failure.events)
    moves = _moves(failure, steps)
    failing = failure.headline.step
    again = _Variation(SameSteps(), steps, failing)
    tenants = lane.binding.tenants[:2]
    variations = [again, *_variations(steps, moves, failing, flights, tenants)]
    reruns: list[Rerun] = []
    time = time or TimeBudget()
    for variation in variations:
        try:
            played = play(lane, variation.steps, drained=in_drain(failure))
        except GivenUp as error:
            lane.abandon()
            reruns.append(Rerun(variation.change, Result.NOT_POSSIBLE, str(error)))
            break
        left -= played.example.steps
        reruns.append(_judged(failure, variation, played))
        if reruns[0].result is not Result.FAILS:
            return Why(tuple(reruns), wanted=1)
        if left <= 0 or time.is_spent():
            break
    overlap = _overlap(failure, flights, variations, reruns)
    return Why(tuple(reruns), len(variations), moves, _acts(steps, flights), overlap)


def _overlap(
    failure: Failure, flights: Sequence[Flight], variations: Sequence[_Variation], reruns: Sequence[Rerun]
) -> Overlap | None:
    if not any(isinstance(event, StatementBegan) for event in failure.events):
        return None
    whole = [rerun.result for rerun in reruns if isinstance(rerun.change, Whole)]
    # Without flights every operation of the failure was whole already.
    if not flights or Result.FAILS in whole:
        return Overlap.PROTOCOL
    wanted = sum(isinstance(variation.change, Whole) for variation in variations)
    return Overlap.ISOLATION if len(whole) == wanted else None


def _acts(steps: Steps, flights: Sequence[Flight]) -> dict[int, Act]:
    acts = {flight.began: Act(flight.by, str(flight.invoked.operation)) for flight in flights}
    for step in steps:
        if step.operation in (GOES_ON, KILLED):
            by, statement = step.arguments["by"], step.arguments.get("statement", "")
            acts[step.key] = Act(by, step.operation, statement)
    return acts


def _judged(failure: Failure, variation: _Variation, played: PlayedScript) -> Rerun:
    change, left_out = variation.change, played.left_out
    if variation.changed is not None and variation.changed in left_out:
        return Rerun(change, Result.NOT_POSSIBLE, left_out[variation.changed])
    if played.failure is not None:
        seen, sought = played.failure.headline.invariant, failure.headline.invariant
        return Rerun(change, Result.FAILS) if seen == sought else Rerun(change, Result.OTHER, seen)
    # "passes" would mislead where the failing step was never played.
    lacking = variation.lacking or left_out.get(variation.failing, "")
    if lacking:
        return Rerun(change, Result.NOT_POSSIBLE, lacking)
    return Rerun(change, Result.PASSES)


def _moves(failure: Failure, steps: Steps) -> tuple[Until, ...]:
    ends: dict[int, float] = {}
    began = 0
    for event in failure.events:
        if isinstance(event, StepBegan):
            began = event.step
        elif isinstance(event, ClockMoved):
            ends[began] = event.at
    return tuple(
        Until(step.key, ends[step.key], _edge(step.arguments))
        for step in steps
        if step.operation in TIME_MOVES
    )


def _edge(arguments: Mapping[str, Any]) -> str:
    """Return the kind of the deadline that a move of time meets to the second, or an empty string."""
    return "" if arguments.get("offset") else str(arguments.get("deadline", ""))


def _variations(
    steps: Steps,
    moves: Sequence[Until],
    failing: int,
    flights: Sequence[Flight],
    tenants: Sequence[str],
) -> Iterator[_Variation]:
    """Yield all changes, the most telling first: the limit of steps may cut the others off.

    Serial orders tell a lock from a protocol, and a second at an edge is the usual cause; of the steps
    those next to the failing one come first.
    """
    yield from _whole(steps, failing, flights)
    yield from _without_faults(steps, failing)
    for move in moves:
        yield from _shifted(steps, move, failing)
    if not moves and len(steps) > 1:
        yield _Variation(Apart(1), _apart(steps, flights), failing)
    for step in reversed(steps):
        # A history ends at its first violation: without the failing step it is known to pass.
        if step.key != failing:
            rest = without(steps, flights, step.key)
            lacking = _lacking(step, steps, failing) if failing in carried_on(flights, step.key) else ""
            yield _Variation(Without(step.key), rest, failing, lacking=lacking)
    yield from _for_another_tenant(steps, failing, tenants)


def _without_faults(steps: Steps, failing: int) -> Iterator[_Variation]:
    for place, step in enumerate(steps):
        if "fault" in step.arguments:
            # The place in the call is the fault's: without it, it means nothing.
            plain = {name: value for name, value in step.arguments.items() if name not in ("fault", "at")}
            undisturbed = [*steps[:place], step._replace(arguments=plain), *steps[place + 1 :]]
            change = WithoutFault(step.key, str(step.arguments["fault"]))
            yield _Variation(change, undisturbed, failing, step.key)


def _for_another_tenant(steps: Steps, failing: int, tenants: Sequence[str]) -> Iterator[_Variation]:
    first = next((step.arguments["tenant"] for step in steps if step.operation == "create"), None)
    if first is None or first not in tenants:
        return
    other = next(tenant for tenant in tenants if tenant != first)
    exchanged = {first: other, other: first}
    swapped = [
        step._replace(arguments=step.arguments | {"tenant": exchanged.get(tenant, tenant)})
        if (tenant := step.arguments.get("tenant")) is not None
        else step
        for step in steps
    ]
    yield _Variation(OtherTenant(first, other), swapped, failing)


def _whole(steps: Steps, failing: int, flights: Sequence[Flight]) -> Iterator[_Variation]:
    if not flights:
        return
    began = next((flight.began for flight in flights if failing in flight.steps), failing)
    begun, committed = (serially(steps, flights, by_commit=by_commit) for by_commit in (False, True))
    yield _Variation(Whole(by_commit=False), begun, began)
    if committed != begun:
        yield _Variation(Whole(by_commit=True), committed, began)


def _lacking(step: Step, steps: Steps, failing: int) -> str:
    """Return why the failing step, which resumes an operation, cannot be played without ``step``.

    In the words of NotPossible, beside which it is printed.
    """
    last = next(other for other in steps if other.key == failing)
    by = last.arguments.get("by")
    if step.operation not in (GOES_ON, KILLED):
        return f"{by} has no operation in flight"
    return f"{by} does not come to {last.arguments.get('statement', 'its end')}"


def _shifted(steps: Steps, move: Until, failing: int) -> Iterator[_Variation]:
    place = next(place for place, step in enumerate(steps) if step.key == move.step)
    step = steps[place]
    name = TIME_MOVES[step.operation]
    for shift in (-1, 1):
        arguments = {**step.arguments, name: step.arguments.get(name, 0) + shift}
        if arguments.get("seconds") == 0:
            continue  # the script without this step, which is played anyway
        shifted = [*steps[:place], step._replace(arguments=arguments), *steps[place + 1 :]]
        yield _Variation(Until(step.key, move.at + shift, _edge(arguments)), shifted, failing, step.key)


def _apart(steps: Steps, flights: Sequence[Flight]) -> list[Step]:
    # Key 0, which no step has: a wait creates nothing that would be named after it.  Only at rest, since
    # no move of time is possible while an operation is in flight.
    wait = Step(0, "wait", {"seconds": 1})
    return [
        *chain.from_iterable(
            (step, wait) if at_rest_after(flights, steps, place) else (step,)
            for place, step in enumerate(steps[:-1])
        ),
        steps[-1],
    ]
