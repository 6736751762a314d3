"""Other ways to write a script: simpler, nearer to what is possible, or merely different.

Pure functions of steps; ``minimise.py`` finds out whether a script still fails.  Each of these rewritings
is here because a search got stuck without it: delta debugging alone only drops steps.
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
"""The number in the name of what no step creates, such as the job that a forged message names."""

_OTHERWISE = {"receive": "duplicate", "duplicate": "receive"}
"""The two ways in which a message reaches a worker: while it is visible, or a second time while it is not."""


def nearest(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the step itself, then what is nearest to it: another worker, another message, a duplicate.

    Without the step in which B received a message, A may now be able to do what B did next.  Without the
    wait before a receive, a duplicate brings the same message.
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
    """Yield another operation in flight with the same statement next, or the same one with its own next."""
    arguments, flying = step.arguments, example.in_flight
    for other in flying.values():
        if other.statement == arguments.get("statement", other.statement):
            yield step.operation, {**arguments, "by": other.by}
    if arguments["by"] in flying and "statement" in arguments:
        yield step.operation, {**arguments, "statement": flying[arguments["by"]].statement}


def by_the_same_message(example: Example, step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the step itself, then the same message brought to the same worker in the other way."""
    yield step.operation, step.arguments
    if step.operation in _OTHERWISE:
        yield _OTHERWISE[step.operation], step.arguments


def about(job: str, steps: Steps) -> list[Step]:
    """Return the steps that name no other job than ``job``."""
    others = {step.arguments["job"] for step in steps if step.operation == "create"} - {job}
    return [step for step in steps if others.isdisjoint(map(str, step.arguments.values()))]


def in_turn(steps: Steps) -> Iterator[list[Step]]:
    """Yield ``steps`` with equal steps of two workers exchanged, so that the first to appear goes first.

    No shorter, but of the many orders of such steps only one is left, and a reader meets A before B.
    """
    come = list(dict.fromkeys(step.arguments.get("worker") for step in steps))
    for place, (one, next_one) in enumerate(pairwise(steps)):
        turns = [come.index(step.arguments.get("worker")) for step in (one, next_one)]
        if one.operation == next_one.operation and turns[0] > turns[1]:
            yield [*steps[:place], next_one, one, *steps[place + 2 :]]


def whole(steps: Steps) -> Iterator[list[Step]]:
    """Yield ``steps`` with one operation played whole that was stopped before its statements or by a lock.

    Many steps become one, so this gains more than any dropped step.  The operation is put where it was
    resumed last, since others see its COMMIT first of all; then where it was resumed earlier, where it
    began, and before steps in which another operation was resumed.
    """
    for place, step in enumerate(steps):
        plain = {name: value for name, value in step.arguments.items() if name != STEPWISE}
        for own in _resumed_at(steps, place):
            if not own and not step.arguments.get(STEPWISE):
                continue
            rest = [(at, other) for at, other in enumerate(steps) if at not in (place, *own)]
            # Messages are named after the step that sends them: the whole operation takes the key of the
            # step that sent one, or later steps would name a message that never exists.
            sent = _sent_in(steps, own)
            key = step.key if sent is None else steps[sent].key
            before = [at for at, other in rest if at < place and other.operation == "proceed"]
            for moment in (*reversed(own), place, *reversed(before)):
                earlier, later = ([one for at, one in rest if (at < moment) is so] for so in (True, False))
                yield [*earlier, step._replace(key=key, arguments=plain), *later]
            if step.arguments.get(STEPWISE):
                yield from _whole_until_it_waited(steps, place, own, step._replace(arguments=plain))


def _whole_until_it_waited(steps: Steps, place: int, own: Sequence[int], plain: Step) -> Iterator[list[Step]]:
    """Yield ``steps`` with ``plain`` in place of all up to a lock wait, after which it resumes as before."""
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


def by_the_publisher(steps: Steps, job: str) -> Iterator[list[Step]]:
    """Yield ``steps`` with the publisher in place of a stopped sweep, which needs a wait for a due job."""
    for place, step in enumerate(steps):
        if step.operation != "recover" or not step.arguments.get(STEPWISE):
            continue
        for own in _resumed_at(steps, place):
            sent = _sent_in(steps, own)
            if sent is not None:
                publish = Step(steps[sent].key, "publish", {"job": job, STEPWISE: True})
                yield [
                    other._replace(arguments={**other.arguments, "by": PUBLISHER}) if at in own else other
                    for at, other in enumerate([*steps[:place], publish, *steps[place + 1 :]])
                    if at not in own or at > sent
                ]


def by_a_worker(steps: Steps) -> Iterator[list[Step]]:
    """Yield ``steps`` with a worker's own finish, or renewal, in place of a stray one.

    A reader whose code makes no direct calls would not believe the stray.
    """
    workers = dict.fromkeys(step.arguments["worker"] for step in steps if "worker" in step.arguments)
    for place, step in enumerate(steps):
        if step.operation == "stray":
            stepwise = {STEPWISE: True} if step.arguments.get(STEPWISE) else {}
            for worker in workers:
                own = step._replace(
                    operation=step.arguments["operation"], arguments={"worker": worker, **stepwise}
                )
                yield [*steps[:place], own, *steps[place + 1 :]]


def _resumed_at(steps: Steps, place: int) -> Iterator[list[int]]:
    """Yield the places in which the operation that began at ``place`` is resumed, for each name it may have.

    A worker has one operation at a time.  The publisher, a sweep or a stray may begin a second one
    meanwhile, which is then called ``stray 2``; which of the two a step means, its name alone does not say.
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
    """Return the name of the actor that makes the calls of a step, None if it makes none."""
    named = OPERATIONS.get(step.operation)
    return (named.maker(step.arguments) or None) if named is not None else None


def simpler_steps(step: Step, job: str) -> Iterator[Step]:
    """Yield ``step`` with simpler arguments, the simplest first; ``job`` is the one that the claim is about.

    Simpler is: the publisher for a sweep, no fault, a fault at its first place, the exact edge, an own edge.
    """
    arguments = step.arguments
    if step.operation == "recover":
        # The publisher could have sent what the sweep sent.  With the same key the message keeps its name.
        yield step._replace(operation="publish", arguments={"job": job})
    # A strike is a fault and, unless it is the first of its kind, the place in the call that it strikes.
    for gone in ({"fault", "at"}, {"at"}):
        if not gone.isdisjoint(arguments):
            yield step._replace(arguments={name: arguments[name] for name in arguments if name not in gone})
    if step.operation == "advance_to":
        yield from (step._replace(arguments=edge) for edge in _plainer_edges(arguments, job))


def _plainer_edges(edge: Mapping[str, Any], job: str) -> Iterator[dict[str, Any]]:
    """Yield the edges of ``job`` itself, then this edge exactly: often it is the edge of another job."""
    own = [{"deadline": "lease", "of": job}, {"deadline": "recovery", "of": job}]
    aimed = {"deadline": edge["deadline"], "of": edge["of"]}
    yield from own[: own.index(aimed)] if aimed in own else own
    if edge.get("offset"):
        yield aimed


def renumbered(steps: Steps) -> list[Step]:
    """Return the steps with keys from 1 on, workers named in order of appearance, and all names to match."""
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
    """Yield scripts about as long as ``steps``, of which ``failure`` came, with one thing written otherwise.

    Each takes a dependence away, so that another step may be dropped:

    - a wait of the same length in place of a move to a deadline: that may be the deadline of another job's
      message, which then cannot be dropped;
    - a duplicate of an earlier message in place of a message of its own, whose job can then go;
    - an idle worker for a delivery: the first worker need not finish before it;
    - a stop in place of a wait for a lock: longer, unless the operation that holds the lock can then go.
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
    """Return the statements that step ``key`` executed before it waited for a lock; none if it did not."""
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
    """Yield the steps of the same operation, stopped before the statement that waited for a lock."""
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
    """Return the seconds that pass in step ``key``."""
    step, seconds = 0, 0.0
    for event in failure.events:
        if isinstance(event, StepBegan):
            step = event.step
        elif isinstance(event, ClockMoved) and step == key:
            seconds += event.at - event.since
    return seconds
