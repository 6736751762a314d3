"""What counts as an overlap, by histories written by hand: one statement between two of the other's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.overlaps import STATEMENT_CELLS, OverlapReach, overlap, pairs
from statemachine.lifecycle import OPTIONAL, Answer, Lifecycle, Operation

FULL = Lifecycle(offers=OPTIONAL)
P, C, R, S = Operation.PREPARE, Operation.COMPLETE, Operation.RECOVER, Operation.PUBLISH


def counted(*events: Event, lifecycle: Lifecycle = FULL) -> dict[str, int]:
    ledger, met = Ledger(lifecycle), OverlapReach(lifecycle)
    for event in events:
        ledger.apply(event)
        met.take(ledger, event)
    return {cell: met.counts[cell] for cell in met.required if met.counts[cell]}


def calls(**asked: tuple[Operation, str]) -> list[Event]:
    """Calls 1, 2, … by A, B, … about these jobs."""
    return [
        history.Invoked(0, number, operation, actor, job, "t1" if job else "")
        for number, (actor, (operation, job)) in enumerate(asked.items(), start=1)
    ]


def step(number: int) -> Event:
    return history.StepBegan(0, number, "proceed", {})


def turns(*whose: int, first: int = 10) -> list[Event]:
    """A step for each number, in which that call executes a statement."""
    events: list[Event] = []
    for number, call in enumerate(whose, start=first):
        events += [step(number), history.StatementBegan(0, call, "SELECT ai_job")]
    return events


def ended(call: int) -> Event:
    return history.Returned(0, call, Answer.REFUSED)


BOTH = calls(A=(P, "j1"), B=(C, "j1"))


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (1, 1, 2, 2), (2, 2, 1, 1), (1, 2, 2)])
def test_one_after_the_other_is_none(order: tuple[int, ...]) -> None:
    assert counted(*BOTH, *turns(*order)) == {}


@pytest.mark.parametrize("order", [(1, 2, 1), (2, 1, 2), (1, 2, 2, 1), (1, 1, 2, 1), (1, 2, 1, 1)])
def test_a_statement_between_two_of_the_other_is_one(order: tuple[int, ...]) -> None:
    assert counted(*BOTH, *turns(*order)) == {overlap(P, C): 1}


def test_each_time_counts() -> None:
    assert counted(*BOTH, *turns(1, 2, 1, 2, 1)) == {overlap(P, C): 3}


def test_an_operation_overlaps_itself() -> None:
    assert counted(*calls(A=(P, "j1"), B=(P, "j1")), *turns(1, 2, 1)) == {overlap(P, P): 1}


def test_two_jobs_are_no_overlap() -> None:
    assert counted(*calls(A=(P, "j1"), B=(C, "j2")), *turns(1, 2, 1, 2)) == {}


def test_what_has_ended_overlaps_no_more() -> None:
    assert counted(*BOTH, *turns(1), ended(1), *turns(2, 2, first=20)) == {}
    third = history.Invoked(0, 3, P, "C", "j1", "t1")
    assert counted(*BOTH, *turns(1, 2), ended(2), step(14), third, *turns(3, 3, first=20)) == {}


def test_a_statement_of_one_that_has_ended_in_between_still_counts() -> None:
    assert counted(*BOTH, *turns(1, 2), ended(2), *turns(1, first=20)) == {overlap(P, C): 1}


def test_a_sweep_is_about_what_it_has_sent() -> None:
    sweep = calls(A=(R, ""), B=(P, "j1"))
    sent = history.Sent(0, "m1", "j1", "t1", call=1)
    other = history.Sent(0, "m1", "j2", "t1", call=1)
    assert counted(*sweep, *turns(1, 2), sent, *turns(1, first=20)) == {overlap(P, R): 1}
    assert counted(*sweep, *turns(1, 2), other, *turns(1, first=20)) == {}
    assert counted(*sweep, *turns(1, 2, 1), sent) == {}, "it had sent nothing by then"


def test_two_sweeps_overlap_when_either_has_sent() -> None:
    sweeps = calls(A=(R, ""), B=(R, ""))
    sent = history.Sent(0, "m1", "j1", "t1", call=2)
    assert counted(*sweeps, *turns(1, 2), sent, *turns(1, first=20)) == {overlap(R, R): 1}
    assert counted(*sweeps, *turns(1, 2, 1, 2)) == {}


def test_the_drain_counts_nothing() -> None:
    assert counted(*BOTH, history.DrainBegan(0), *turns(1, 2, 1)) == {}


@pytest.mark.parametrize(
    "fault", ["kill_before_statement", "kill_before_commit", "kill_while_blocked", "kill_after_commit"]
)
@pytest.mark.parametrize(("call", "stage"), [(1, "prepare"), (2, "finish")])
def test_a_kill_counts_in_its_stage(fault: str, call: int, stage: str) -> None:
    assert counted(*BOTH, *turns(1, 2), history.FaultStruck(0, call, fault)) == {f"{fault} in {stage}": 1}


def test_a_wait_for_a_lock_counts_in_its_stage() -> None:
    assert counted(*BOTH, *turns(1), history.LockWaited(0, 2, 1)) == {"lock wait in finish": 1}
    assert counted(*BOTH, *turns(2), history.LockWaited(0, 1, 2)) == {"lock wait in prepare": 1}


def test_what_is_required_is_every_pair_and_every_kill() -> None:
    required = OverlapReach(FULL).required
    assert len(required) == len(set(required)) == len(pairs(FULL)) + len(STATEMENT_CELLS)
    assert set(STATEMENT_CELLS) < set(required)
    assert overlap(S, S) not in required
    # n operations make n (n + 1) / 2 pairs, and one of them cannot be.
    writing = [operation for operation in Operation if any(operation in pair for pair in pairs(FULL))]
    assert len(pairs(FULL)) == len(writing) * (len(writing) + 1) // 2 - 1


def test_what_a_system_lacks_is_not_required() -> None:
    without = replace(FULL, offers=OPTIONAL - {R})
    gone = set(OverlapReach(FULL).required) - set(OverlapReach(without).required)
    assert gone
    assert all("recover" in cell for cell in gone)


def test_what_is_unreachable_is_not_required() -> None:
    met = OverlapReach(FULL, {overlap(P, C): "one worker for each job"})
    assert overlap(P, C) not in met.required
    assert dict(met.edges_and_faults())[overlap(P, C)] is None
