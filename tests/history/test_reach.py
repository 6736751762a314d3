"""What a run must meet, under each lifecycle, and what counts as having met it.

A cell that is required and cannot come about makes every verdict UNKNOWN; one that is counted without
having come about makes a PASS that says nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from statemachine.history import events as history
from statemachine.history import reach
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.reach import Reach, required
from statemachine.lifecycle import DIRECT, OPTIONAL, Lifecycle, Operation
from statemachine.world.lane import Lane
from statemachine.world.operations import OPERATIONS, perform
from statemachine.world.operations.strikes import WEIGHED

FULL = Lifecycle(offers=OPTIONAL, further_terminal=("REVIEW_REQUIRED",))
SWEEP = [cell for cell in required(FULL) if cell.startswith("recover: ") or cell.endswith(" in recover")]


def test_no_cell_is_required_twice() -> None:
    assert len(required(FULL)) == len(set(required(FULL)))


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        (
            {"offers": OPTIONAL - {Operation.EXTEND}},
            {"extend: writes nothing", "visibility extended", "error_in_port_call in extend"},
        ),
        ({"offers": OPTIONAL - {Operation.RECOVER}}, {*SWEEP, "publish: published, or past PENDING"}),
        (
            {"offers": OPTIONAL - {Operation.RENEW}},
            {cell for cell in required(FULL) if cell.startswith("renew: ")},
        ),
        (
            {"offers": OPTIONAL - {Operation.RELEASE}},
            {cell for cell in required(FULL) if cell.startswith("release: ")}
            | {"prepare: RETRYING", "mark_running: RETRYING", "message back after a release"},
        ),
        ({"recover_after_seconds": 0}, {"recover: PENDING, unpublished, too young"}),
        ({"further_terminal": ()}, {cell for cell in required(FULL) if cell.startswith("close: ")}),
        (
            {"fenced": False},
            {cell for cell in required(FULL) if cell.endswith("superseded, or attempt never given")},
        ),
    ],
    ids=lambda value: min(value),
)
def test_what_a_system_lacks_is_not_required(changes: dict[str, Any], gone: set[str]) -> None:
    assert gone
    assert set(required(FULL)) - set(required(replace(FULL, **changes))) == gone
    assert set(required(replace(FULL, **changes))) < set(required(FULL))


def test_what_hardly_any_but_direct_calls_meet_is_not_required_without_them() -> None:
    without = {str(operation): set[str]() for operation in DIRECT}
    for cell in set(required(FULL)) - set(required(replace(FULL, strays=frozenset()))):
        operation, _, situation = cell.partition(": ")
        without[operation].add(situation)
    assert all(without.values())
    assert without["complete"] == {
        "no such job for that tenant",
        "again, after its own finish",
        "after another finish of its own",
        "PENDING, attempt 0",
    }
    kept = set(required(replace(FULL, strays=frozenset({Operation.COMPLETE}))))
    assert {cell for cell in required(FULL) if cell.startswith("complete: ")} <= kept


def test_with_a_single_end_there_is_no_other_finish() -> None:
    single = Lifecycle(failed="DONE", offers=frozenset({Operation.RECOVER}))
    other = "after another finish of its own"
    assert not [cell for cell in required(single) if cell.endswith(other)]
    for more in ({"offers": OPTIONAL}, {"further_terminal": ("REVIEW_REQUIRED",)}, {"failed": "FAILED"}):
        two_ends = replace(single, **more)  # type: ignore[arg-type]
        assert f"fail: {other}" in required(two_ends)


def test_every_fault_that_must_strike_is_offered_where_it_must() -> None:
    stages = {"complete": "finish", "fail": "finish", "release": "finish", "close": "finish"}
    offered = {
        f"{strike.fault} in {stages.get(operation, operation)}"
        for operation, row in WEIGHED.items()
        for strike, _ in row
    }
    demanded = {cell for cell in required(FULL) if cell.split(" in ")[-1] in (*OPERATIONS, "finish")}
    assert len(demanded) > 20
    assert demanded <= offered


def counted(lifecycle: Lifecycle, *events: Event) -> dict[str, int]:
    ledger, met = Ledger(lifecycle), Reach(lifecycle)
    for event in events:
        ledger.apply(event)
        met.take(ledger, event)
    return dict(met.counts)


def test_nothing_is_met_by_nothing() -> None:
    met = Reach(FULL)
    assert met.missed() == list(required(FULL))
    assert met.rarest() == (required(FULL)[0], 0)


def test_what_is_unreachable_is_not_required_and_never_the_rarest() -> None:
    first, second, *others = required(FULL)
    met = Reach(FULL, {first: "there is no such thing here"})
    met.counts.update(dict.fromkeys(others, 9))
    assert met.missed() == [second]
    met.counts[second] = 3
    assert (met.missed(), met.rarest()) == ([], (second, 3))
    assert met.met_all_the_same() == []


def test_an_unreachable_situation_that_is_met_is_counted_and_reported() -> None:
    first = required(FULL)[0]
    met = Reach(FULL, {first: "there is no such thing here"})
    assert met.count_of(first) is None
    met.counts[first] = 2
    assert (met.count_of(first), met.met_all_the_same()) == (2, [first])


def test_where_all_is_unreachable_no_situation_is_the_rarest() -> None:
    met = Reach(FULL, dict.fromkeys(required(FULL), "it does nothing"))
    assert (met.missed(), met.rarest()) == ([], ("nothing is required", 0))


def test_every_required_cell_is_listed_once() -> None:
    listed = Reach(FULL, {"redriven": "there is no DLQ"})
    table = [
        f"{operation}: {name}" for operation, cells in listed.operations_by_situation() for name, _ in cells
    ]
    assert (*table, *(cell for cell, _ in listed.edges_and_faults())) == required(FULL)
    assert dict(listed.edges_and_faults())["redriven"] is None


def test_a_message_is_late_malformed_or_without_a_job() -> None:
    late = history.Sent(0, "m1", "j1", "t1", delay=900)
    assert counted(FULL, late, history.Sent(0, "m2", "j1", "t1")) == {"message sent late": 1}
    assert counted(FULL, history.Sent(0, "m1", "j0", "t1", forged=True)) == {"message without a job": 1}
    assert counted(FULL, history.Sent(0, "m1", "", "", forged=True)) == {"malformed message": 1}


def test_what_the_drain_does_is_not_counted() -> None:
    late = history.Sent(0, "m1", "j1", "t1", delay=900)
    assert counted(FULL, history.DrainBegan(0), late) == {}


def test_a_sweep_meets_each_job_in_its_situation(lane: Lane) -> None:
    met = Reach(lane.binding.lifecycle)
    example = lane.begin(met)
    for job in ("j1", "j2"):
        perform(example, "create", {"job": job, "tenant": "t1"})
    perform(example, "publish", {"job": "j1"})
    perform(example, "recover", {})
    young, old = "recover: PENDING, unpublished, too young", "recover: PENDING, unpublished, old enough"
    past = "recover: published, or past PENDING"
    assert [met.counts[cell] for cell in ("recover: sweep", young, old, past)] == [1, 1, 0, 1]
    perform(example, "advance_to", {"deadline": "recovery", "of": "j2"})
    perform(example, "recover", {"fault": "kill_before_port_call"})
    assert [met.counts[cell] for cell in ("recover: sweep", young, old, past)] == [2, 1, 1, 2]
    assert met.counts["kill_before_port_call in recover"] == 1
    assert example.judge.violations == []


def test_a_lease_edge_is_met_by_the_clock_of_the_one_who_asks(lane: Lane) -> None:
    met = Reach(lane.binding.lifecycle)
    example = lane.begin(met)
    for operation, arguments in (
        ("create", {"job": "j1", "tenant": "t1"}),
        ("publish", {"job": "j1"}),
        ("receive", {"worker": "A", "message": "m2"}),
        ("prepare", {"worker": "A"}),
        ("duplicate", {"worker": "B", "message": "m2"}),
        ("skew_clock", {"worker": "B", "seconds": 20}),
        ("advance_to", {"deadline": "lease", "of": "j1", "offset": -20}),
        ("prepare", {"worker": "B"}),
    ):
        perform(example, operation, arguments)
    assert [met.counts[edge] for edge in reach.EDGE_CELLS] == [0, 1, 0]
    assert example.ledger.rows["j1"].attempt == 2
    assert example.judge.violations == []
