"""How a script can be written otherwise: simpler, nearer to what is possible, or only differently.

Pure functions of steps; whether a script still fails is for ``minimise.py`` to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from statemachine.history.events import ClockMoved, LockWaited, StatementBegan, StepBegan
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, Steps
from statemachine.world.example import RESUMES, Example
from statemachine.world.operations import OPERATIONS, STEPWISE
from statemachine.world.operations.named import PUBLISHER
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
    if "by" in step.arguments:
        yield from _in_flight_instead(example, step)
    if "worker" not in step.arguments:
        return
    messages = [*example.queue.messages, *example.queue.dead] if "message" in step.arguments else []
    for operation in (step.operation, _OTHERWISE.get(step.operation, step.operation)):
        for worker in (step.arguments["worker"], *example.workers):
            yield operation, {**step.arguments, "worker": worker}
            for message in messages:
                yield operation, {**step.arguments, "worker": worker, "message": message}


def _in_flight_instead(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """Another operation in flight that is about to execute the same statement, or this one with its own."""
    arguments, flying = step.arguments, example.in_flight
    for other in flying.values():
        if other.statement == arguments.get("statement", other.statement):
            yield step.operation, {**arguments, "by": other.by}
    if arguments["by"] in flying and "statement" in arguments:
        yield step.operation, {**arguments, "statement": flying[arguments["by"]].statement}


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


def whole(steps: Steps) -> Iterator[list[Step]]:
    """``steps`` with one operation played whole that was stopped before its statements, or in a lock wait.

    Best where it went on last, since its COMMIT is what others see of it, else where it went on before
    or where it began, or before what another one did by then.
    """
    for place, step in enumerate(steps):
        plain = {name: value for name, value in step.arguments.items() if name != STEPWISE}
        for own in _went_on(steps, place):
            if not own and not step.arguments.get(STEPWISE):
                continue
            rest = [(at, other) for at, other in enumerate(steps) if at not in (place, *own)]
            sent = _sent_in(steps, own)
            key = step.key if sent is None else steps[sent].key
            before = [at for at, other in rest if at < place and other.operation == "proceed"]
            for moment in (*reversed(own), place, *reversed(before)):
                earlier, later = ([one for at, one in rest if (at < moment) is so] for so in (True, False))
                yield [*earlier, step._replace(key=key, arguments=plain), *later]
            if step.arguments.get(STEPWISE):
                yield from _whole_until_it_waited(steps, place, own, step._replace(arguments=plain))


def _whole_until_it_waited(steps: Steps, place: int, own: Sequence[int], plain: Step) -> Iterator[list[Step]]:
    """``plain`` in place of all up to a lock wait, from which it goes on as it did."""
    for resumed in own:
        if steps[resumed].arguments.get("statement") == RESUMES:
            gone = [at for at in own if at < resumed]
            for moment in dict.fromkeys((*gone[-1:], place)):
                written = [plain if at == moment else other for at, other in enumerate(steps)]
                yield [other for at, other in enumerate(written) if at == moment or at not in (place, *gone)]


def _sent_in(steps: Steps, own: Sequence[int]) -> int | None:
    """In which of its own places an operation sent the first message that others have: it bears its key."""
    received = {
        str(step.arguments["message"]).partition(".")[0] for step in steps if "message" in step.arguments
    }
    return next((at for at in own if f"m{steps[at].key}" in received), None)


def told_to_publish(steps: Steps, job: str) -> Iterator[list[Step]]:
    """``steps`` with the publisher in place of a sweep that was stopped: it waits for no job's time."""
    for place, step in enumerate(steps):
        if step.operation != "recover" or not step.arguments.get(STEPWISE):
            continue
        for own in _went_on(steps, place):
            sent = _sent_in(steps, own)
            if sent is not None:
                publish = Step(steps[sent].key, "publish", {"job": job, STEPWISE: True})
                yield [
                    other._replace(arguments={**other.arguments, "by": PUBLISHER}) if at in own else other
                    for at, other in enumerate([*steps[:place], publish, *steps[place + 1 :]])
                    if at not in own or at > sent
                ]


def _went_on(steps: Steps, place: int) -> Iterator[list[int]]:
    """The places at which the operation that began at ``place`` goes on, under either name it may have.

    Whoever is no worker may begin another one meanwhile.
    """
    maker = _maker(steps[place])
    if maker is None:
        return
    begins = (later for later in range(place + 1, len(steps)) if _maker(steps[later]) == maker)
    end = next(begins, len(steps))
    further = () if "worker" in steps[place].arguments or end == len(steps) else ((maker, len(steps)),)
    for name, last in ((maker, end), *further, (f"{maker} 2", len(steps))):
        own = [later for later in range(place + 1, last) if steps[later].arguments.get("by") == name]
        if own or (name, last) == (maker, end):
            yield own


def _maker(step: Step) -> str | None:
    """Who makes the calls of a step, None for one that makes none."""
    named = OPERATIONS.get(step.operation)
    return (named.maker(step.arguments) or None) if named is not None else None


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
    """Scripts about as long as ``steps``, of which ``failure`` came, with one thing written otherwise.

    A move to a deadline as a wait of the same length: time often passes up to the edge of some other
    job's message, which then cannot be dropped.  A delivery given to a worker who has nothing to do yet:
    the first one need not finish before.  A message received as a duplicate of another one.  A stop in place
    of a wait for a lock, which is longer unless whoever holds it can go.
    """
    for place, step in enumerate(steps):
        for other in _instead(failure, step, steps[:place]):
            yield [*steps[:place], other, *steps[place + 1 :]]
        if step.operation in _OTHERWISE:
            yield from _given_to_another(steps, place)
        if before_wait := _before_a_wait(failure, step.key):
            yield [*steps[:place], *_stopped(step, before_wait, steps), *steps[place + 1 :]]


def _instead(failure: Failure, step: Step, before: Steps) -> Iterator[Step]:
    if step.operation == "advance_to":
        yield step._replace(operation="wait", arguments={"seconds": _length(failure, step.key)})
    if step.operation == "receive":
        received = [one.arguments["message"] for one in before if one.operation in _OTHERWISE]
        for message in dict.fromkeys(received):
            yield step._replace(operation="duplicate", arguments={**step.arguments, "message": message})


def _before_a_wait(failure: Failure, key: int) -> list[str]:
    """The statements that step ``key`` executed before it had to wait for a lock; none if it had not."""
    step, statements = 0, list[str]()
    for event in failure.events:
        if isinstance(event, StepBegan):
            step = event.step
        elif isinstance(event, StatementBegan) and step == key:
            statements.append(event.statement)
        elif isinstance(event, LockWaited) and step == key:
            return statements[:-1]
    return []


def _stopped(step: Step, statements: Sequence[str], steps: Steps) -> Iterator[Step]:
    """The same step, stopped before the statement that waited: then nobody need hold the lock."""
    yield step._replace(arguments={**step.arguments, STEPWISE: True})
    unused = max(one.key for one in steps) + 1
    for key, statement in enumerate(statements, start=unused):
        yield Step(key, "proceed", {"by": _maker(step), "statement": statement})


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
