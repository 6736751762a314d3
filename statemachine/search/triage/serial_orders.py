"""Serial orders of scripts with operations in flight, and such scripts without one of their steps.

Pure functions of steps and of the flights that a history shows (``history/in_flight.py``).

Of n overlapping operations there are n! serial orders, which makes a full search for a linearisation costly.
Two are tried here: the order of begins and the order of commits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import itemgetter

from statemachine.history.in_flight import GOES_ON, KILLED, Flight
from statemachine.search.triage.script import Step, Steps
from statemachine.world.faults import Fault
from statemachine.world.operations import STEPWISE
from statemachine.world.operations.strikes import WEIGHED


def carried_on(flights: Sequence[Flight], key: int) -> Collection[int]:
    """Return the steps that cannot be played without step ``key``: those that resume its operation later."""
    for flight in flights:
        if key == flight.began:
            return flight.steps
        if key in flight.steps:
            last = flight.steps[-1:] if flight.killed else []
            # The kill stays: an operation that stops earlier can still be killed, where it then is.
            return [step for step in flight.steps[flight.steps.index(key) + 1 :] if step not in last]
    return ()


def without(steps: Steps, flights: Sequence[Flight], key: int) -> list[Step]:
    """Return ``steps`` without step ``key`` and those that resume its operation later.

    Operations in flight are renamed: a ``stray 2`` that is alone now is called ``stray`` when it is played.
    """
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
    """Return ``steps`` with each of the ``flights`` whole: where it began, or with ``by_commit`` where it
    committed last.

    In the order of commits, one that sends messages stands where it sends the first one, since another may
    have received it by the time it commits; one that never committed stands where it ended, or at the end.
    An operation that was killed is played whole up to the same COMMIT of it, and killed before that; a stray
    call, which no kill can strike, is left out.  Messages take the names that they have when their operation
    is played in one step.
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
    """Return the step of its first message, else of its last COMMIT, else of its end, else -1."""
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
    """Return whether nothing is in flight between the step at ``place`` and the next one."""
    places = {step.key: at for at, step in enumerate(steps)}
    return not any(
        places[flight.began] <= place < (places.get(flight.ended, len(steps)) if flight.ended else len(steps))
        for flight in flights
        if flight.began in places
    )
