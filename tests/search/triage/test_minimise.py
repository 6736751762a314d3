"""Minimising: the same claim, no step too many, numbered and named afresh, and always the same.

A reader judges the tool by the history that it shows.  One superfluous step sends them looking for
a cause that is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from statemachine.history.events import DrainEnded, StepBegan
from statemachine.history.ledger import Ledger
from statemachine.invariants import ALL
from statemachine.invariants.claim import Judgements, broken, invariant
from statemachine.search.triage import script
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.minimise import minimise
from statemachine.search.triage.script import Step
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations.drain import drain
from tests.conftest import OpenLane

DEFECT, CLAIM = "running_job_reentered", "one_holder_at_a_time"

BLOATED = [
    Step(4, "create", {"job": "j4", "tenant": "t2"}),
    Step(5, "wait", {"seconds": 30}),
    Step(8, "publish", {"job": "j4", "fault": "answer_lost"}),
    Step(9, "create", {"job": "j9", "tenant": "t1", "fault": "answer_lost"}),
    Step(10, "receive", {"worker": "A", "message": "m8"}),
    Step(11, "create_again", {"job": "j9", "tenant": "t1"}),
    Step(12, "prepare", {"worker": "A"}),
    Step(13, "forge", {"job": "j9", "tenant": "t2"}),
    Step(14, "advance_to", {"deadline": "recovery", "of": "j9", "offset": 1}),
    Step(15, "recover", {}),
    Step(16, "receive", {"worker": "C", "message": "m13"}),
    Step(17, "prepare", {"worker": "C"}),
    Step(18, "stray", {"operation": "fail", "job": "j9", "attempt": "next"}),
    Step(19, "complete", {"worker": "A"}),
    Step(20, "receive", {"worker": "C", "message": "m15"}),
    Step(21, "wait", {"seconds": 1}),
    Step(22, "prepare", {"worker": "C"}),
    Step(23, "kill_worker", {"worker": "C"}),
    Step(24, "acknowledge", {"worker": "A", "fault": "delete_lost"}),
    Step(25, "duplicate", {"worker": "B", "message": "m15"}),
    Step(26, "advance_to", {"deadline": "lease", "of": "j9", "offset": -1}),
    Step(27, "prepare", {"worker": "B"}),
]
MINIMAL = [
    Step(1, "create", {"job": "j1", "tenant": "t1"}),
    Step(2, "publish", {"job": "j1"}),
    Step(3, "receive", {"worker": "A", "message": "m2"}),
    Step(4, "prepare", {"worker": "A"}),
    Step(5, "duplicate", {"worker": "B", "message": "m2"}),
    Step(6, "prepare", {"worker": "B"}),
]


@pytest.fixture
def lane(open_lane: OpenLane) -> Iterator[Lane]:
    with open_lane(DEFECT) as lane:
        yield lane


def play(lane: Lane, steps: Sequence[Step], strict: bool = True) -> Example:
    played = script.play(lane, steps)
    assert not (strict and played.left_out)
    return played.example


def failure(lane: Lane, steps: Sequence[Step]) -> Failure:
    found = Failure.of(play(lane, steps))
    assert found is not None
    assert found.steps[-1].step == steps[-1].key, "the script must fail at its last step, not before"
    return found


def steps_of(found: Failure) -> list[Step]:
    return [Step(step.step, step.operation, dict(step.arguments)) for step in found.steps if not step.drain]


def test_a_bloated_failure_becomes_the_shortest_that_a_person_would_write(lane: Lane) -> None:
    found = failure(lane, BLOATED)
    assert found.headline.invariant == CLAIM
    minimal = minimise(lane, found)
    assert minimal.headline.invariant == CLAIM
    assert steps_of(minimal) == MINIMAL
    assert minimal.headline.step == len(MINIMAL)
    assert minimal.headline.subject == "j1"


def test_a_fault_stays_when_it_makes_the_history_shorter(lane: Lane) -> None:
    # A lost answer sends the same worker back: a step less than a duplicate and a second worker.
    lost = [
        step._replace(arguments={"worker": "C", "fault": "answer_lost"}) if step.key == 22 else step
        for step in BLOATED
    ]
    minimal = steps_of(minimise(lane, failure(lane, lost)))
    asks_again = Step(4, "prepare", {"worker": "A", "fault": "answer_lost"})
    assert minimal == [*MINIMAL[:3], asks_again, Step(5, "prepare", {"worker": "A"})]


def test_a_fault_goes_together_with_the_place_that_it_would_strike(lane: Lane) -> None:
    # prepare makes fewer than 99 statements, so this one never strikes.
    never = {"worker": "A", "fault": "kill_before_statement", "at": 99}
    found = failure(lane, [*MINIMAL[:3], MINIMAL[3]._replace(arguments=never), *MINIMAL[4:]])
    assert steps_of(minimise(lane, found)) == MINIMAL


def test_minimising_is_deterministic_and_idempotent(lane: Lane) -> None:
    found = failure(lane, BLOATED)
    first, second = minimise(lane, found), minimise(lane, found)
    assert first == second
    assert minimise(lane, first) == first


def test_no_step_and_no_pair_of_steps_can_go(lane: Lane) -> None:
    steps = steps_of(minimise(lane, failure(lane, BLOATED)))
    for gone in range(len(steps)):
        for too in range(gone, len(steps)):
            rest = [step for place, step in enumerate(steps) if place not in (gone, too)]
            assert play(lane, rest, strict=False).judge.violations == [], (steps[gone], steps[too])


def test_a_minimal_history_can_be_played_from_its_steps(lane: Lane) -> None:
    minimal = minimise(lane, failure(lane, BLOATED))
    steps = steps_of(minimal)
    assert play(lane, steps).events == list(minimal.events)
    assert [step.key for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        for value in step.arguments.values():
            named = re.fullmatch(r"[jm](\d+)(\.\d+)?", str(value))
            assert not named or int(named[1]) <= step.key, f"{step} names what comes later"
    workers = list(dict.fromkeys(step.arguments["worker"] for step in steps if "worker" in step.arguments))
    assert workers == ["A", "B"], "by first appearance"


@invariant(StepBegan, section="none")
def creation_happens_at_odd_seconds(ledger: Ledger, event: StepBegan) -> Judgements:
    """No claim of ours: two waits of a second break it together, and neither can go alone."""
    if event.operation == "create" and ledger.now % 2 == 0:
        yield broken(event.arguments["job"], "even")


def test_two_steps_go_together_when_neither_can_go_alone(lane: Lane) -> None:
    lane.claims = [creation_happens_at_odd_seconds]
    wait = {"seconds": 1}
    found = failure(lane, [Step(1, "wait", wait), Step(2, "wait", wait), MINIMAL[0]._replace(key=3)])
    assert [step.operation for step in steps_of(minimise(lane, found))] == ["create"]


def test_an_already_minimal_failure_is_left_alone(lane: Lane) -> None:
    found = failure(lane, MINIMAL)
    assert minimise(lane, found) == found


def test_a_failure_that_only_the_drain_proves_keeps_its_drain(open_lane: OpenLane) -> None:
    with open_lane("refused_delivery_deletes_message") as lane:
        lane.claims = [claim for claim in ALL if claim.name == "every_job_ends"]
        example = play(
            lane,
            [
                *MINIMAL[:5],
                Step(6, "wait", {"seconds": 30}),
                Step(7, "prepare", {"worker": "B"}),
                Step(8, "acknowledge", {"worker": "B"}),
                Step(9, "wait", {"seconds": 1}),
                Step(10, "kill_worker", {"worker": "A"}),
            ],
        )
        assert example.judge.violations == []
        drain(example)
        found = Failure.of(example)
        assert found is not None
        minimal = minimise(lane, found)
        assert minimal.headline.invariant == "every_job_ends"
        assert isinstance(minimal.events[-1], DrainEnded)
        steps = steps_of(minimal)
        assert len(steps) <= 8, "the two waits go, what is left to do may be the drain's"
        again = play(lane, steps)
        drain(again)
        assert again.events == list(minimal.events)
