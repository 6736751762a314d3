"""Why a failure happens, found by playing it again with one thing changed at a time.

Each step before the failing one is dropped, and each move of time is made a second shorter and a
second longer; a failure in which no time passes is also played with a second between its steps, since
on a frozen clock everything else happens at once.  Where operations were in flight at once, all are also
played whole, in two orders.  With a statement go those that its operation executes after it.

What is said is what such a re-run did: that the claim breaks without a step shows that the step is no
cause, but that it holds does not show that the step is the only one.  Nothing is tried in place of a
dropped step, so later steps may not be possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from statemachine.history.events import ClockMoved, StatementBegan, StepBegan
from statemachine.history.in_flight import GOES_ON, KILLED, Flight, flights_of
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Played, Step, Steps, in_drain, play, steps_of
from statemachine.search.triage.serial_orders import at_rest_after, carried_on, serially, without
from statemachine.world.lane import Lane

TIME_MOVES = {"advance_to": "offset", "wait": "seconds"}
"""The operations that move time, with the argument whose seconds are changed."""


@dataclass(frozen=True, slots=True)
class Again:
    """The same steps once more: without this one, no other re-run would mean anything."""


@dataclass(frozen=True, slots=True)
class Without:
    """One step dropped."""

    step: int


@dataclass(frozen=True, slots=True)
class Until:
    """A move of time that ends at second ``at``; ``edge`` names the deadline that this meets exactly."""

    step: int
    at: float
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Apart:
    """``seconds`` pass between any two steps."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Whole:
    """Every operation played whole: in the order in which they began, or of their last COMMITs."""

    by_commit: bool


Change = Again | Without | Until | Apart | Whole


class Overlap(StrEnum):
    """Whether a failure needs two operations at once: what a lock or an isolation level can mend, or not.

    ISOLATION says that neither order of whole operations that was tried breaks the same claim; a third
    order might.
    """

    PROTOCOL = "protocol: happens serially too"
    ISOLATION = "isolation: needs the overlap"


class Result(StrEnum):
    FAILS = "FAILS"
    OTHER = "breaks another invariant"
    PASSES = "passes"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class Rerun:
    """One re-run.  ``detail`` names the other invariant, or says what a step that could not be played lacked.

    NOT_POSSIBLE is said of the step that was changed, or else of the failing one.
    """

    change: Change
    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """All re-runs that were made, in a fixed order; ``wanted`` is how many there would have been.

    ``moves`` are the failure's own moves of time, which :class:`Again` played unchanged.  ``names`` say what
    the steps of operations in flight do.  ``overlap`` is None where operations are not seen to
    overlap, and when too few re-runs were made to tell.
    """

    reruns: tuple[Rerun, ...]
    wanted: int
    moves: tuple[Until, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    overlap: Overlap | None = None

    @property
    def repeats(self) -> bool:
        """Whether the unchanged steps broke the same claim again."""
        return self.reruns[0].result is Result.FAILS


class _Variation(NamedTuple):
    """A script that differs by ``change``; ``changed`` is the step that must be possible for that.

    ``failing`` is the step that breaks the claim, and ``lacking`` why it is not in this script, if it is not.
    """

    change: Change
    steps: Steps
    failing: int
    changed: int | None = None
    lacking: str = ""


def explain(lane: Lane, failure: Failure, budget: int | None = None) -> Why:
    """Re-run ``failure`` on the open ``lane`` with one thing changed at a time, for ``budget`` steps.

    Without a budget, for as many as the lane allows.  When the unchanged steps do not break the same claim
    again, that is the only re-run.
    """
    left = lane.steps_to_explain if budget is None else budget
    steps, flights = steps_of(failure), flights_of(failure.events)
    moves = _moves(failure, steps)
    failing = failure.headline.step
    again = _Variation(Again(), steps, failing)
    variations = [again, *_variations(steps, moves, failing, flights)]
    reruns: list[Rerun] = []
    for variation in variations:
        played = play(lane, variation.steps, drained=in_drain(failure))
        left -= played.example.steps
        reruns.append(_judged(failure, variation, played))
        if reruns[0].result is not Result.FAILS:
            return Why(tuple(reruns), wanted=1)
        if left <= 0:
            break
    overlap = _overlap(failure, flights, variations, reruns)
    return Why(tuple(reruns), len(variations), moves, _names(steps, flights), overlap)


def _overlap(
    failure: Failure, flights: Sequence[Flight], variations: Sequence[_Variation], reruns: Sequence[Rerun]
) -> Overlap | None:
    if not any(isinstance(event, StatementBegan) for event in failure.events):
        return None
    whole = [rerun.result for rerun in reruns if isinstance(rerun.change, Whole)]
    if not flights or Result.FAILS in whole:
        return Overlap.PROTOCOL
    wanted = sum(isinstance(variation.change, Whole) for variation in variations)
    return Overlap.ISOLATION if len(whole) == wanted else None


def _names(steps: Steps, flights: Sequence[Flight]) -> dict[int, str]:
    """``B: prepare begins`` and ``B: COMMIT`` for the steps of operations in flight."""
    said = {GOES_ON: "{by}: {statement}", KILLED: "{by} killed"}
    named = {flight.began: f"{flight.by}: {flight.invoked.operation} begins" for flight in flights}
    named |= {
        step.key: said[step.operation].format_map(step.arguments) for step in steps if step.operation in said
    }
    return named


def _judged(failure: Failure, variation: _Variation, played: Played) -> Rerun:
    change, left_out = variation.change, played.left_out
    if variation.changed is not None and variation.changed in left_out:
        return Rerun(change, Result.NOT_POSSIBLE, left_out[variation.changed])
    if played.failure is not None:
        seen, sought = played.failure.headline.invariant, failure.headline.invariant
        return Rerun(change, Result.FAILS) if seen == sought else Rerun(change, Result.OTHER, seen)
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
    """The kind of the deadline that a move of time meets to the second, or empty."""
    return "" if arguments.get("offset") else str(arguments.get("deadline", ""))


def _variations(
    steps: Steps, moves: Sequence[Until], failing: int, flights: Sequence[Flight]
) -> Iterator[_Variation]:
    """Moves of time come first and then the last steps: what is nearest to the failure, if cut short."""
    yield from _whole(steps, failing, flights)
    for move in moves:
        yield from _shifted(steps, move, failing)
    if not moves and len(steps) > 1:
        yield _Variation(Apart(1), _apart(steps, flights), failing)
    for step in reversed(steps):
        # All before the failing step was right when it was judged: there is no need to drop that one.
        if step.key != failing:
            rest = without(steps, flights, step.key)
            lacking = _lacking(step, steps, failing) if failing in carried_on(flights, step.key) else ""
            yield _Variation(Without(step.key), rest, failing, lacking=lacking)


def _whole(steps: Steps, failing: int, flights: Sequence[Flight]) -> Iterator[_Variation]:
    if not flights:
        return
    began = next((flight.began for flight in flights if failing in flight.steps), failing)
    begun, committed = (serially(steps, flights, by_commit=by_commit) for by_commit in (False, True))
    yield _Variation(Whole(by_commit=False), begun, began)
    if committed != begun:
        yield _Variation(Whole(by_commit=True), committed, began)


def _lacking(step: Step, steps: Steps, failing: int) -> str:
    """Why the failing step, in which an operation goes on, cannot be played without ``step``."""
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
            continue  # that is the script without this step, which is played anyway
        shifted = [*steps[:place], step._replace(arguments=arguments), *steps[place + 1 :]]
        yield _Variation(Until(step.key, move.at + shift, _edge(arguments)), shifted, failing, step.key)


def _apart(steps: Steps, flights: Sequence[Flight]) -> list[Step]:
    # A wait creates nothing, so its number names nothing; none is possible while an operation is in flight.
    wait = Step(0, "wait", {"seconds": 1})
    return [
        *chain.from_iterable(
            (step, wait) if at_rest_after(flights, steps, place) else (step,)
            for place, step in enumerate(steps[:-1])
        ),
        steps[-1],
    ]
