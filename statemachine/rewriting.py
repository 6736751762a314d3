"""How a script can be written otherwise: simpler, nearer to what is possible, or only differently.

Pure functions of steps; whether a script still fails is for ``minimise.py`` to find out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

from statemachine.example import Example
from statemachine.flights import GOES_ON, KILLED, Flight
from statemachine.history import ClockMoved, StepBegan
from statemachine.operations import STEPWISE
from statemachine.operations.strikes import WEIGHED
from statemachine.run import Failure
from statemachine.script import Step, Steps
from statemachine.world.faults import Fault
from statemachine.world.workers import WORKERS

_NOBODY = "0"
"""The number in the name of what no step creates, as of the job that a forged message names."""

_OTHERWISE = {"receive": "duplicate", "duplicate": "receive"}


def nearest(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """The step itself, then what comes nearest to it: another worker, another message, a duplicate.

    When the step that made B receive is gone, what B did next may be what A can do now; when the
    wait before a receive is gone, a duplicate brings the same message.
    """
    yield step.operation, step.arguments
    if "worker" not in step.arguments:
        return
    messages = [*example.queue.messages, *example.queue.dead] if "message" in step.arguments else []
    for operation in (step.operation, _OTHERWISE.get(step.operation, step.operation)):
        for worker in (step.arguments["worker"], *example.workers):
            yield operation, {**step.arguments, "worker": worker}
            for message in messages:
                yield operation, {**step.arguments, "worker": worker, "message": message}


def by_the_same_message(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """The step itself, or the same message brought to the same worker in the other way."""
    yield step.operation, step.arguments
    if step.operation in _OTHERWISE:
        yield _OTHERWISE[step.operation], step.arguments


def about(job: str, steps: Steps) -> list[Step]:
    """The steps that name no other job: most of a long history is about somebody else's."""
    others = {step.arguments["job"] for step in steps if step.operation == "create"} - {job}
    return [step for step in steps if others.isdisjoint(map(str, step.arguments.values()))]


def in_turn(steps: Steps) -> Iterator[list[Step]]:
    """``steps`` with two workers' equal steps exchanged, so that who came first goes first."""
    come = list(dict.fromkeys(step.arguments.get("worker") for step in steps))
    for place, (one, next_one) in enumerate(pairwise(steps)):
        turns = [come.index(step.arguments.get("worker")) for step in (one, next_one)]
        if one.operation == next_one.operation and turns[0] > turns[1]:
            yield [*steps[:place], next_one, one, *steps[place + 2 :]]


def simpler_steps(step: Step, job: str) -> Iterator[Step]:
    arguments = step.arguments
    if step.operation == "recover":
        # What the sweep sent, the publisher could have: same key, so the message keeps its name.
        yield step._replace(operation="publish", arguments={"job": job})
    # A strike is a fault and, unless it is the first of its kind, the place in the call that it strikes.
    for gone in ({"fault", "at"}, {"at"}):
        if not gone.isdisjoint(arguments):
            yield step._replace(arguments={name: arguments[name] for name in arguments if name not in gone})
    if step.operation == "advance_to":
        yield from (step._replace(arguments=edge) for edge in _plainer_edges(arguments, job))


def _plainer_edges(edge: Mapping[str, Any], job: str) -> Iterator[dict[str, Any]]:
    """The edges of ``job`` itself, and this one exactly: time often passes up to somebody else's edge."""
    own = [{"deadline": "lease", "of": job}, {"deadline": "recovery", "of": job}]
    aimed = {"deadline": edge["deadline"], "of": edge["of"]}
    yield from own[: own.index(aimed)] if aimed in own else own
    if edge.get("offset"):
        yield aimed


def renumbered(steps: Steps) -> list[Step]:
    """The same steps with keys from 1 on, workers by first appearance, and all names to match."""
    numbers = {str(step.key): str(place) for place, step in enumerate(steps, start=1)}
    seen = dict.fromkeys(step.arguments["worker"] for step in steps if "worker" in step.arguments)
    workers = dict(zip(seen, WORKERS, strict=False))

    def renamed(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        named = re.fullmatch(r"([jm])(\d+)((?:\.\d+)?)", value)
        if named:
            return named[1] + numbers.get(named[2], _NOBODY) + named[3]
        return workers.get(value, value)

    return [
        Step(place, step.operation, {name: renamed(value) for name, value in step.arguments.items()})
        for place, step in enumerate(steps, start=1)
    ]


def alternatives(steps: Steps, failure: Failure) -> Iterator[list[Step]]:
    """Scripts as long as ``steps``, of which ``failure`` came, with one thing written otherwise.

    A move to a deadline as a wait of the same length: time often passes up to the edge of some other
    job's message, which then cannot be dropped.  A delivery given to a worker who has nothing to do yet:
    the first one need not finish before.  A message received as a duplicate of another one.
    """
    for place, step in enumerate(steps):
        for other in _instead(failure, step, steps[:place]):
            yield [*steps[:place], other, *steps[place + 1 :]]
        if step.operation in _OTHERWISE:
            yield from _given_to_another(steps, place)


def _instead(failure: Failure, step: Step, before: Steps) -> Iterator[Step]:
    if step.operation == "advance_to":
        yield step._replace(operation="wait", arguments={"seconds": _length(failure, step.key)})
    if step.operation == "receive":
        received = [one.arguments["message"] for one in before if one.operation in _OTHERWISE]
        for message in dict.fromkeys(received):
            yield step._replace(operation="duplicate", arguments={**step.arguments, "message": message})


def _given_to_another(steps: Steps, place: int) -> Iterator[list[Step]]:
    worker = steps[place].arguments["worker"]
    busy = {step.arguments.get("worker") for step in steps}
    idle = next((name for name in WORKERS if name not in busy), None)
    if idle is None:
        return
    begins = (
        later
        for later, step in enumerate(steps)
        if later > place and step.operation in _OTHERWISE and step.arguments["worker"] == worker
    )
    end = next(begins, len(steps))
    yield [
        step._replace(arguments={**step.arguments, "worker": idle})
        if place <= later < end and step.arguments.get("worker") == worker
        else step
        for later, step in enumerate(steps)
    ]


def _length(failure: Failure, key: int) -> float:
    """How many seconds pass in step ``key``."""
    step, seconds = 0, 0.0
    for event in failure.events:
        if isinstance(event, StepBegan):
            step = event.step
        elif isinstance(event, ClockMoved) and step == key:
            seconds += event.at - event.since
    return seconds


# -- operations in flight ---------------------------------------------------------------------------


def carried_on(flights: Sequence[Flight], key: int) -> Collection[int]:
    """The steps that cannot be played without step ``key``: those in which its operation goes on after it."""
    for flight in flights:
        if key == flight.began:
            return flight.steps
        if key in flight.steps:
            last = flight.steps[-1:] if flight.killed else []
            # Whoever stops earlier can still be killed there.
            return [step for step in flight.steps[flight.steps.index(key) + 1 :] if step not in last]
    return ()


def without(steps: Steps, flights: Sequence[Flight], key: int) -> list[Step]:
    """``steps`` without step ``key`` and what it carries on, with ``stray 2`` called ``stray`` if alone."""
    gone = {key, *carried_on(flights, key)}
    began = {flight.began: flight for flight in flights}
    carries = {step: flight for flight in flights for step in flight.steps}
    names: dict[int, str] = {}
    taken: set[str] = set()
    rest = []
    for step in steps:
        if step.key in gone:
            continue
        flight = began.get(step.key) or carries.get(step.key)
        if flight is None:
            rest.append(step)
            continue
        actor = flight.invoked.actor
        name = names.setdefault(flight.began, actor if actor not in taken else f"{actor} 2")
        taken.add(name)
        if step.key != flight.began:
            step = step._replace(arguments={**step.arguments, "by": name})
        if step.key == flight.ended:
            taken.discard(name)
        rest.append(step)
    return rest


def serially(steps: Steps, flights: Sequence[Flight], *, by_commit: bool) -> list[Step]:
    """``steps`` with each of the ``flights`` whole: where it began, or where it committed last.

    One that sends messages stands where it sends the first one, since others may have received it by the
    time it commits; one that never committed stands where it ended, or at the end.  Who was killed in the
    middle makes the operation whole and dies before the same COMMIT of it; a stray call, which nobody can be
    killed in, is left out.  A message takes the name that it has when its operation sends it in one step.
    """
    places = {step.key: place for place, step in enumerate(steps)}
    began = {flight.began: flight for flight in flights}
    placed: list[tuple[int, Step]] = []
    for place, step in enumerate(steps):
        flight = began.get(step.key)
        if flight is None and step.operation not in (GOES_ON, KILLED):
            placed.append((place, step))
        elif flight is not None:
            whole = _whole(step, flight)
            end = _end_of(flight) if by_commit else step.key
            if whole is not None:
                placed.append((places.get(end, len(steps)), whole))
    placed.sort(key=itemgetter(0))
    return [_with_messages(step, flights) for _, step in placed]


def _end_of(flight: Flight) -> int:
    """The step of its first message or last COMMIT, else of its end; no step's number if it has none."""
    seen = [*list(flight.sent.values())[:1], *flight.commits[-1:], flight.ended]
    return next((step for step in seen if step is not None), -1)


def _whole(step: Step, flight: Flight) -> Step | None:
    arguments = {name: value for name, value in step.arguments.items() if name != STEPWISE}
    if flight.killed:
        if step.operation not in WEIGHED:
            return None
        arguments |= {"fault": Fault.KILL_BEFORE_COMMIT.value, "at": len(flight.commits) + 1}
    return step._replace(arguments=arguments)


def _with_messages(step: Step, flights: Sequence[Flight]) -> Step:
    named = {
        message: f"m{flight.began}" if place == 1 else f"m{flight.began}.{place}"
        for flight in flights
        for place, message in enumerate(flight.sent, start=1)
    }
    arguments = {
        name: named.get(value, value) if isinstance(value, str) else value
        for name, value in step.arguments.items()
    }
    return step._replace(arguments=arguments)


def at_rest_after(flights: Sequence[Flight], steps: Steps, place: int) -> bool:
    """Whether nothing is in flight between the step at ``place`` and the next one."""
    places = {step.key: at for at, step in enumerate(steps)}
    return not any(
        places[flight.began] <= place < (places.get(flight.ended, len(steps)) if flight.ended else len(steps))
        for flight in flights
        if flight.began in places
    )
