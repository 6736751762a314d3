"""The named operations: what is offered can be played, and what cannot be played leaves no trace.

Replay and minimising play scripts of which half is not possible any more.  A refusal that came after
the first event, or an offer that is then refused, would make histories that nobody can play again.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from models_under_test.models import AIJob, AIResult
from models_under_test.variants import VARIANTS
from statemachine.lifecycle import Operation
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import OPERATIONS, NotPossible, Offer, Unplayable, perform
from statemachine.world.operations.drain import drain
from statemachine.world.operations.time import YEAR

Script = list[tuple[str, dict[str, Any]]]


def after(lane: Lane, script: Script) -> Example:
    example = lane.begin()
    for operation, arguments in script:
        perform(example, operation, arguments)
    return example


def everything(example: Example) -> tuple[Any, ...]:
    """All that a refused operation must not have touched."""
    return (
        list(example.events),
        example.steps,
        example.step_key,
        example.now,
        list(example.jobs),
        dict(example.to_publish),
        [(slot.name, slot.next_step, slot.message, slot.job) for slot in example.workers.values()],
        repr((example.queue.messages, example.queue.dead, example.queue.deleted)),
        list(AIJob.objects.values()),
        list(AIResult.objects.values()),
    )


START: Script = []
CREATED: Script = [("create", {"job": "j1", "tenant": "t1"})]
NEVER_CREATED: Script = [("create", {"job": "j1", "tenant": "t1", "fault": "kill_before_commit"})]
PUBLISHED: Script = [*CREATED, ("publish", {"job": "j1"})]
RECEIVED: Script = [*PUBLISHED, ("receive", {"worker": "A", "message": "m2"})]
PREPARED: Script = [*RECEIVED, ("prepare", {"worker": "A"})]
COMPLETED: Script = [*PREPARED, ("complete", {"worker": "A"})]
DELETED: Script = [*COMPLETED, ("acknowledge", {"worker": "A"})]
USED_UP: Script = [
    *RECEIVED,
    ("duplicate", {"worker": "B", "message": "m2"}),
    ("duplicate", {"worker": "C", "message": "m2"}),
    ("kill_worker", {"worker": "C"}),
]
RETURNED: Script = [
    *RECEIVED,
    ("kill_worker", {"worker": "A"}),
    ("advance_to", {"deadline": "visibility", "of": "m2"}),
]


class Refused(NamedTuple):
    """An operation that its state does not allow, and a word of the reason."""

    before: Script
    operation: str
    arguments: dict[str, Any]
    word: str


CALL = {"operation": "complete", "job": "j1"}
REFUSED = (
    Refused(START, "proceed", {"by": "A", "statement": "COMMIT"}, "A has no operation in flight"),
    Refused(START, "kill_in_flight", {"by": "sweep"}, "sweep has no operation in flight"),
    Refused(RECEIVED, "prepare", {"worker": "A", "stepwise": True}, "operations run whole"),
    Refused(START, "receive", {"worker": "A", "message": "m2"}, "no message m2 in the queue"),
    Refused(PUBLISHED, "receive", {"worker": "Z", "message": "m2"}, "no worker Z"),
    Refused(RECEIVED, "receive", {"worker": "A", "message": "m2"}, "worker A is not idle"),
    Refused(RECEIVED, "receive", {"worker": "B", "message": "m2"}, "hidden until 3600"),
    Refused(DELETED, "receive", {"worker": "A", "message": "m2"}, "no message m2"),
    Refused(PUBLISHED, "prepare", {"worker": "A"}, "next step is to receive, not prepare"),
    Refused(PREPARED, "prepare", {"worker": "A"}, "next step is finish, not prepare"),
    Refused(RECEIVED, "prepare", {"worker": "B"}, "not prepare"),
    Refused(RECEIVED, "prepare", {"worker": "A", "fault": "earthquake"}, "no fault earthquake"),
    Refused(RECEIVED, "complete", {"worker": "A"}, "next step is prepare, not finish"),
    Refused(RECEIVED, "fail", {"worker": "A"}, "not finish"),
    Refused(COMPLETED, "release", {"worker": "A"}, "next step is acknowledge, not finish"),
    Refused(PREPARED, "acknowledge", {"worker": "A"}, "next step is finish, not acknowledge"),
    Refused(DELETED, "acknowledge", {"worker": "A"}, "not acknowledge"),
    Refused(CREATED, "advance_to", {"deadline": "lease", "of": "j1"}, "no lease of j1"),
    Refused(PREPARED, "advance_to", {"deadline": "doom", "of": "j1"}, "no deadline doom"),
    Refused(RECEIVED, "advance_to", {"deadline": "cap", "of": "A"}, "no cap of A"),
    Refused(PUBLISHED, "advance_to", {"deadline": "recovery", "of": "j1"}, "no recovery of j1"),
    Refused(PUBLISHED, "advance_to", {"deadline": "visibility", "of": "m2"}, "not ahead of 0"),
    Refused(RETURNED, "advance_to", {"deadline": "visibility", "of": "m2"}, "not ahead of 3600"),
    Refused(RETURNED, "advance_to", {"deadline": "visibility", "of": "m2", "offset": -1}, "not ahead"),
    Refused(START, "wait", {"seconds": 0}, "time moves forward"),
    Refused(START, "wait", {"seconds": -1}, "time moves forward"),
    Refused(START, "publish", {"job": "j1"}, "waiting to be published"),
    Refused(PUBLISHED, "publish", {"job": "j1"}, "waiting to be published"),
    Refused(NEVER_CREATED, "publish", {"job": "j1"}, "waiting to be published"),
    Refused(PUBLISHED, "kill_publisher", {"job": "j1"}, "waiting to be published"),
    Refused(USED_UP, "redrive", {"message": "m2"}, "no message m2 in the DLQ"),
    Refused(PUBLISHED, "duplicate", {"worker": "A", "message": "m2"}, "receive it instead"),
    Refused(RECEIVED, "duplicate", {"worker": "A", "message": "m2"}, "worker A is not idle"),
    Refused(USED_UP, "duplicate", {"worker": "C", "message": "m2"}, "used up its receives"),
    Refused(PUBLISHED, "kill_worker", {"worker": "A"}, "worker A is idle"),
    Refused(RETURNED, "kill_worker", {"worker": "A"}, "worker A is idle"),
    Refused(COMPLETED, "bring_back", {"message": "m2"}, "among the deleted ones"),
    Refused(CREATED, "forge", {"job": "j1", "tenant": "t1"}, "own job"),
    Refused(START, "stray", {**CALL, "attempt": "zero"}, "no job j1"),
    Refused(NEVER_CREATED, "stray", {**CALL, "attempt": "zero"}, "j1 has no row"),
    Refused(PREPARED, "stray", {**CALL, "attempt": "current"}, "its holder's own"),
    Refused(
        PREPARED,
        "stray",
        {**CALL, "operation": "prepare", "attempt": "zero"},
        "no direct call prepare that shows a token",
    ),
    Refused(START, "mark_running", {"job": "j1"}, "no job j1"),
    Refused(CREATED, "mark_running", {"job": "j1"}, "would strand it"),
    Refused(START, "create", {"job": "j1", "tenant": "t9"}, "no tenant t9"),
    Refused(START, "create_again", {"job": "j1", "tenant": "t1"}, "no job j1"),
    Refused(START, "explode", {}, "no operation explode"),
    Refused(PREPARED, "complete", {"worker": "A", "speed": 3}, "complete does not take"),
    Refused(PREPARED, "complete", {}, "complete needs worker"),
    Refused(CREATED, "recover", {"job": "j1"}, "recover does not take"),
    Refused(CREATED, "recover", {"fault": "kill_after_commit", "at": 0}, "places are counted from 1"),
    Refused(RECEIVED, "extend", {"worker": "A"}, "next step is prepare, not finish"),
    Refused(PREPARED, "renew", {"worker": "A"}, "renews no leases"),
    Refused(PREPARED, "close", {"worker": "A"}, "no close: its lifecycle says so"),
    Refused(PREPARED, "stray", {**CALL, "operation": "renew", "attempt": "zero"}, "no direct call renew"),
    Refused(START, "skew_clock", {"worker": "Z", "seconds": 20}, "no worker Z"),
    Refused(START, "skew_clock", {"worker": "A", "seconds": -YEAR}, "say less than a year"),
    Refused(START, "send_malformed", {"job": "j1"}, "send_malformed does not take"),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.operation}: {case.word}")
def test_what_the_state_does_not_allow_is_refused_without_a_trace(case: Refused, lane: Lane) -> None:
    example = after(lane, case.before)
    before = everything(example)
    with pytest.raises(NotPossible) as refused:
        perform(example, case.operation, case.arguments)
    assert case.word in str(refused.value)
    assert everything(example) == before


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("stray", {**CALL, "attempt": "latest"}),
        ("wait", {"seconds": math.inf}),  # json reads Infinity
        ("skew_clock", {"worker": "A", "seconds": math.nan}),
        ("skew_clock", {"worker": "A", "seconds": math.inf}),
        ("extend", {"worker": "A", "fault": "earthquake"}),
        ("complete", {"worker": "A", "fault": "answer_lost", "at": 1.5}),
        ("advance_to", {"deadline": "lease", "of": "j1", "offset": math.inf}),
    ],
)
def test_arguments_that_only_an_edited_file_holds_are_refused_too(
    operation: str, arguments: dict[str, Any], lane: Lane
) -> None:
    with pytest.raises(NotPossible):
        perform(after(lane, PREPARED), operation, arguments)


def test_every_operation_is_refused_somewhere() -> None:
    # The sweep is always possible: it looks, and finds nothing.  Only its arguments can be wrong.
    assert {case.operation for case in REFUSED} == {*OPERATIONS, "explode"}


def offers(example: Example) -> list[Offer]:
    return [
        variant
        for operation in OPERATIONS.values()
        for offer in operation.offers(example)
        for variant in offer.variants()
    ]


def walk(lane: Lane, seed: int, steps: int, played: Counter[str]) -> Example:
    """A random walk over the offers; in each state all of them must be plannable."""
    choose = random.Random(seed)
    example = lane.begin()
    for _ in range(steps):
        found = offers(example)
        before = len(example.events)
        for offer in found:
            OPERATIONS[offer.operation].plan(example, **offer.arguments)
        assert len(example.events) == before, "to plan is not to play"
        offer = choose.choices(found, [1 if offer.strike else offer.weight for offer in found])[0]
        perform(example, offer.operation, offer.arguments)
        played[offer.operation] += 1
        assert example.judge.violations == [], f"seed {seed}, step {example.steps}: {offer}"
    drain(example)
    return example


def test_every_offer_can_be_played_and_the_correct_system_passes(lane: Lane) -> None:
    # 40 walks of 50 steps.  The rarest operation, redrive, is played about once in three walks: the
    # seeds are fixed, so that it is played at all is no matter of luck from one run to the next.
    played: Counter[str] = Counter()
    for seed in range(40):
        example = walk(lane, seed, 50, played)
        assert example.judge.violations == [], f"seed {seed}, in the drain"
        assert example.judge.crashed == []
    assert {name for name in OPERATIONS if not played[name]} == {
        *("close", "renew", "skew_clock"),
        *("proceed", "kill_in_flight"),  # of operations in flight, of which this lane has none
    }


@pytest.mark.parametrize("variant", ["ReviewRequired", "Heartbeat"])
def test_what_other_systems_offer_can_be_played_too_and_with_wrong_clocks(
    variant: str, transactional_db: None
) -> None:
    # Skews of 20 s are within the margin between lease and visibility.
    played: Counter[str] = Counter()
    lane = Lane(VARIANTS[variant](), clock_skew_seconds=20)
    with lane.open():
        for seed in range(10):
            example = walk(lane, seed, 50, played)
            assert example.judge.violations == [], f"seed {seed}, in the drain"
            assert example.judge.crashed == []
    further = {"ReviewRequired": "close", "Heartbeat": "renew"}
    assert played["skew_clock"]
    assert [name for name in further.values() if played[name]] == [further[variant]]


def test_the_same_choices_play_the_same_history(lane: Lane) -> None:
    assert walk(lane, 3, 60, Counter()).events == walk(lane, 3, 60, Counter()).events


def test_offers_have_weights_and_come_simplest_first(lane: Lane) -> None:
    found = offers(after(lane, PREPARED))
    assert all(offer.weight > 0 for offer in found)
    names = list(dict.fromkeys(offer.operation for offer in found))
    assert names == [name for name in OPERATIONS if name in names]
    assert names[-2:] == ["create", "create_again"], "or a failure shrinks towards needless jobs"
    lease = [offer.arguments["offset"] for offer in found if offer.arguments.get("deadline") == "lease"]
    assert lease == [0, -1, 1], "the exact edge comes first"


def test_a_step_names_what_it_creates(lane: Lane) -> None:
    example = after(lane, CREATED)
    perform(example, "create", {"job": "j7", "tenant": "t2"}, key=7)
    perform(example, "publish", {"job": "j7"}, key=9)
    perform(example, "publish", {"job": "j1"})
    assert list(example.queue.messages) == ["m9", "m10"]
    assert example.next_key() == 11
    two = after(lane, [*CREATED, ("create", {"job": "j2", "tenant": "t2"})])
    for job in ("j1", "j2"):
        perform(two, "kill_publisher", {"job": job})
    perform(two, "advance_to", {"deadline": "recovery", "of": "j1"})
    perform(two, "recover", {})
    assert list(two.queue.messages) == ["m6", "m6.2"], "the sweep sends two in one step"


@pytest.mark.parametrize("kept", [frozenset(), frozenset({Operation.FAIL})], ids=len)
def test_only_the_direct_calls_of_the_lifecycle_are_offered(
    kept: frozenset[Operation], lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane.binding, "lifecycle", replace(lane.binding.lifecycle, strays=kept))
    example = after(lane, [("create", {"job": "j1", "tenant": "t1"}), ("publish", {"job": "j1"})])
    offered = {offer.undisturbed["operation"] for offer in OPERATIONS["stray"].offers(example)}
    assert offered == {str(operation) for operation in kept}
    assert not list(OPERATIONS["mark_running"].offers(example))
    with pytest.raises(Unplayable, match="no direct call complete"):
        perform(example, "stray", {"operation": "complete", "job": "j1", "attempt": "zero"})
    with pytest.raises(Unplayable, match="no direct call mark_running"):
        perform(example, "mark_running", {"job": "j1"})
