"""An example turns calls into events: what was committed, what was answered, who died, and no more.

Examples run in autocommit on a real database.  Inside an outer transaction ``on_commit`` would never
fire and a forgotten transaction would look fine, so that is tested here and not taken on trust.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from models_under_test.models import AIJob, AIResult, Tenant
from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.lifecycle import Answer, Operation
from statemachine.world.clock import START
from statemachine.world.example import Example
from statemachine.world.faults import Fault, Strike, WorkerKilled
from statemachine.world.lane import BYSTANDERS, Lane
from statemachine.world.operations import perform
from statemachine.world.ports import HandedOver, SystemQueue, WorkerQueue
from tests.conftest import OpenLane

BY_HAND = datetime(2020, 1, 1, tzinfo=UTC)


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def called(example: Example, run: Callable[[], Any], fault: Fault | None = None) -> list[Event]:
    """The events of one stray completion of j1 whose code is ``run``."""
    before = len(example.events)
    strike = Strike(fault) if fault else None
    example.call(Operation.COMPLETE, run, actor="stray", job="j1", tenant="t1", attempt=7, strike=strike)
    return example.events[before:]


def job_in_database(job: str = "j1") -> AIJob:
    return AIJob.objects.get(job_id__endswith=f"-{job}")


def test_on_commit_fires_inside_an_example(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    assert kinds(example.events) == [
        "OthersCounted",
        "StepBegan",
        "Invoked",
        "Committed",
        "Observed",
        "PublicationQueued",
        "Returned",
    ]
    assert example.to_publish == {"j1": "t1"}


def test_a_call_runs_in_autocommit_at_the_examples_time(lane: Lane) -> None:
    example = lane.begin()
    example.move_clock(100)
    seen: list[object] = []

    def run() -> bool:
        seen.extend((connection.in_atomic_block, connection.get_autocommit(), datetime.now(UTC) - START))
        with transaction.atomic(durable=True):
            pass
        return True

    assert called(example, run)[-1] == history.Returned(100, 1, Answer.ACCEPTED)
    assert seen[:2] == [False, True]
    assert str(seen[2]) == "0:01:40"


def test_examples_find_no_rows_of_one_another_and_touch_no_others(
    transactional_db: None, open_lane: OpenLane
) -> None:
    Tenant.objects.create(code="t1")
    AIJob.objects.create(job_id="j1-by-hand", tenant_id="t1", created_at=BY_HAND, updated_at=BY_HAND)
    before = list(AIJob.objects.values())
    mine = AIJob.objects.exclude(job_id__in=BYSTANDERS)
    with open_lane() as lane:
        for _ in range(2):
            example = lane.begin()
            assert list(mine.values()) == before
            assert kinds(example.events) == ["OthersCounted"]
            assert (example.now, example.jobs) == (0, [])
            perform(example, "create", {"job": "j1", "tenant": "t1"})
            perform(example, "publish", {"job": "j1"})
            perform(example, "receive", {"worker": "A", "message": "m2"})
            perform(example, "prepare", {"worker": "A"})
            perform(example, "complete", {"worker": "A"})
            perform(example, "create", {"job": "j6", "tenant": "t2", "fault": "kill_after_commit"})
            example.move_clock(10)
            assert mine.count() == 3
            assert AIResult.objects.filter(job__in=mine).count() == 1
            assert example.judge.violations == []
    assert list(AIJob.objects.values()) == before
    assert AIResult.objects.count() == 0


def test_a_row_that_the_example_did_not_make_is_left_alone(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    AIJob.objects.create(job_id="other", tenant_id="t2", created_at=BY_HAND, updated_at=BY_HAND)
    perform(example, "publish", {"job": "j1"})
    assert set(example.ledger.rows) == {"j1"}
    lane.begin()
    assert set(AIJob.objects.values_list("job_id", flat=True)) == {"other", *BYSTANDERS}


STRUCK: dict[Fault, tuple[str, list[str]]] = {
    Fault.KILL_BEFORE_COMMIT: ("PENDING", ["Invoked", "FaultStruck", "Unknown", "Killed"]),
    Fault.ERROR_BEFORE_COMMIT: ("PENDING", ["Invoked", "FaultStruck", "Raised"]),
    Fault.KILL_AFTER_COMMIT: (
        "RUNNING",
        ["Invoked", "Committed", "Observed", "FaultStruck", "Unknown", "Killed"],
    ),
    Fault.ANSWER_LOST: ("RUNNING", ["Invoked", "Committed", "Observed", "FaultStruck", "Unknown"]),
}


@pytest.mark.parametrize("fault", STRUCK)
def test_a_struck_prepare_leaves_what_its_fault_says(fault: Fault, delivered: Example) -> None:
    before = len(delivered.events)
    perform(delivered, "prepare", {"worker": "A", "fault": fault.value})
    status, events = STRUCK[fault]
    assert job_in_database().status == status
    assert kinds(delivered.events[before + 1 :]) == events
    dies = events[-1] == "Killed"
    assert delivered.workers["A"].is_idle is dies
    if dies:
        assert delivered.events[-2:] == [
            history.Unknown(0, delivered.current_call, "killed"),
            history.Killed(0, "A", f"{fault.split('_')[1]}_prepare_commit"),
        ]
    elif fault is Fault.ANSWER_LOST:
        assert delivered.events[-1] == history.Unknown(0, delivered.current_call, "answer lost")
    assert delivered.judge.violations == []


def test_a_worker_whose_answer_was_lost_may_ask_again(delivered: Example) -> None:
    perform(delivered, "prepare", {"worker": "A", "fault": "answer_lost"})
    assert delivered.workers["A"].answered_at is None
    perform(delivered, "prepare", {"worker": "A"})
    assert delivered.workers["A"].is_idle, "its own lease is live, so it is refused"
    assert job_in_database().attempt_count == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (True, history.Returned(0, 4, Answer.ACCEPTED)),
        (False, history.Returned(0, 4, Answer.REFUSED)),
        (None, history.Returned(0, 4, Answer.REFUSED)),
        (4, history.Returned(0, 4, Answer.ACCEPTED)),
        (0, history.Returned(0, 4, Answer.REFUSED)),
    ],
)
def test_an_answer_is_recorded_as_given(answer: object, expected: Event, delivered: Example) -> None:
    assert called(delivered, lambda: answer)[-1] == expected


def test_an_error_of_the_code_under_test_is_its_answer(delivered: Example) -> None:
    assert called(delivered, lambda: {}["key"])[-1] == history.Raised(0, 4, "KeyError: 'key'")


def done_in_one_commit() -> bool:
    with transaction.atomic():
        AIJob.objects.filter(job_id__endswith="-j1").update(status="DONE")
    return True


def test_a_database_error_that_was_swallowed_is_still_an_answer(delivered: Example) -> None:
    def swallows() -> bool:
        with suppress(OperationalError):
            done_in_one_commit()
        return False

    assert called(delivered, swallows, Fault.ANSWER_LOST)[-1] == history.Returned(0, 4, Answer.REFUSED)
    assert job_in_database().status == "DONE"


def test_a_death_that_was_swallowed_is_still_a_death(delivered: Example) -> None:
    def immortal() -> bool:
        with suppress(BaseException):
            done_in_one_commit()
        return True

    assert called(delivered, immortal, Fault.KILL_BEFORE_COMMIT)[-1] == history.Unknown(0, 4, "killed")
    assert job_in_database().status == "PENDING"


def test_a_call_that_is_interrupted_leaves_no_fault_behind(delivered: Example) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            called(delivered, interrupted, Fault.KILL_BEFORE_COMMIT)
        assert done_in_one_commit(), "SQL of the verifier's own, as at the end of the lane"
    finally:
        delivered.faults.disarm()


def test_a_write_without_a_transaction_is_seen_and_attributed(delivered: Example) -> None:
    events = called(
        delivered, lambda: AIJob.objects.filter(job_id__endswith="-j1").update(status="DONE") == 1
    )
    assert kinds(events) == ["Invoked", "Committed", "Observed", "Returned"]
    assert events[2].rows[0].status == "DONE"  # type: ignore[union-attr]


def test_each_commit_of_a_call_is_observed_by_itself(delivered: Example) -> None:
    def twice() -> bool:
        for status in ("RUNNING", "DONE"):
            with transaction.atomic():
                AIJob.objects.filter(job_id__endswith="-j1").update(status=status)
        return True

    events = called(delivered, twice)
    assert kinds(events) == ["Invoked", "Committed", "Observed", "Committed", "Observed", "Returned"]
    assert [events[at].rows[0].status for at in (2, 4)] == ["RUNNING", "DONE"]  # type: ignore[union-attr]


def test_a_row_that_was_deleted_is_reported_gone(delivered: Example) -> None:
    events = called(delivered, lambda: AIJob.objects.all().delete() is not None)
    assert events[2] == history.Observed(0, 4, (), ("j1",))


def test_a_rolled_back_write_leaves_no_trace(delivered: Example) -> None:
    def rolls_back() -> bool:
        with suppress(ZeroDivisionError), transaction.atomic():
            AIJob.objects.all().update(status="DONE")
            raise ZeroDivisionError
        return False

    assert kinds(called(delivered, rolls_back)) == ["Invoked", "Returned"]


PORT_CALLS: dict[str, Callable[[Example], object]] = {
    "worker sends": lambda example: worker_queue(example).send("j1", "t1"),
    "worker receives": lambda example: worker_queue(example).receive(),
    "worker deletes": lambda example: worker_queue(example).delete("m2#1"),
    "worker extends": lambda example: worker_queue(example).change_visibility("m2#1", 0),
    "system sends": lambda example: SystemQueue(lambda: example).send("j1", "t1"),
    "system deletes": lambda example: SystemQueue(lambda: example).delete("m2#1"),
    "system extends": lambda example: SystemQueue(lambda: example).change_visibility("m2#1", 0),
    "publisher is told": lambda example: HandedOver(lambda: example).enqueue("j1", "t1"),
}


def worker_queue(example: Example) -> WorkerQueue:
    return WorkerQueue(example, example.workers["A"], "m2", duplicate=True)


@pytest.mark.parametrize("port", PORT_CALLS)
def test_a_dead_process_gets_nothing_through_a_port(port: str, delivered: Example) -> None:
    ends: list[object] = []

    def run() -> None:
        for step in (done_in_one_commit, lambda: PORT_CALLS[port](delivered)):
            try:
                ends.append(step())
            except WorkerKilled:
                ends.append("killed")

    events = called(delivered, run, Fault.KILL_BEFORE_COMMIT)
    assert ends == ["killed", "killed"]
    assert kinds(events) == ["Invoked", "FaultStruck", "Unknown"]


@pytest.mark.parametrize("port", PORT_CALLS)
def test_a_living_process_gets_through_every_port(port: str, delivered: Example) -> None:
    assert len(called(delivered, lambda: PORT_CALLS[port](delivered) is None)) == 3
