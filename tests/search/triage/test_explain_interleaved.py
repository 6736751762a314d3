"""Why a failure of two operations at once happens, and whether it needs the two: by re-runs on PostgreSQL."""

from __future__ import annotations

from statemachine.report.text.why import TITLE, act_text, why_lines
from statemachine.search.triage.explain import Overlap, Result, Whole, Without, explain
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, play
from statemachine.world.lane import Lane
from tests.support.interleaved_scripts import DELIVERED_TWICE, LOCKED, TWO_LEASES, turn
from tests.support.postgresql import OpenTransactions
from tests.support.scripts import MINIMAL, script
from tests.support.unlocked import UNLOCKED

NO_TOKEN = "completion_without_token"


def failing(lane: Lane, steps: list[Step]) -> Failure:
    played = play(lane, steps)
    assert not played.left_out
    assert played.failure is not None
    return played.failure


def lines(lane: Lane, steps: list[Step]) -> list[str]:
    title, *shown = why_lines(explain(lane, failing(lane, steps)))
    assert title == f"  {TITLE}"
    return [line.removeprefix("    ") for line in shown]


def test_a_failure_of_overlapping_operations_only_is_isolation(open_transactions: OpenTransactions) -> None:
    with open_transactions(UNLOCKED) as lane:
        why = explain(lane, failing(lane, TWO_LEASES))
    results = {rerun.change: rerun.result for rerun in why.reruns}
    assert results[Whole(by_commit=False)] is Result.PASSES
    assert Whole(by_commit=True) not in results, "it is the same order"
    assert why.overlap is Overlap.ISOLATION
    assert act_text(why.acts[11]) == "A: COMMIT"
    # A does not come to its UPDATE, so B has not read what A then changed.
    assert results[Without(9)] is Result.PASSES


COMPLETION = [
    turn("A", "SELECT ai_job"),
    turn("A", LOCKED),
    turn("A", "UPDATE ai_job"),
    turn("A", "INSERT ai_result"),
    turn("A", "COMMIT"),
]
TAKEN_OVER = [(step.operation, step.arguments) for step in MINIMAL[NO_TOKEN][:-2]]
B_PREPARES = ("prepare", {"worker": "B"})
A_COMPLETES = ("complete", {"worker": "A", "stepwise": True})


def test_a_failure_of_a_serial_order_is_protocol(open_transactions: OpenTransactions) -> None:
    with open_transactions(defect=NO_TOKEN) as lane:
        shown = lines(lane, script(*TAKEN_OVER, B_PREPARES, A_COMPLETES, *COMPLETION))
    assert shown[0] == "whole operations, as they begin  FAILS"
    assert shown[-1] == (
        "protocol: happens serially too (whole operations, one after another, break this claim)"
    )


def test_a_history_of_whole_operations_is_serial_itself(open_transactions: OpenTransactions) -> None:
    with open_transactions(defect=NO_TOKEN) as lane:
        why = explain(lane, failing(lane, list(MINIMAL[NO_TOKEN])))
    assert why.overlap is Overlap.PROTOCOL
    assert not [rerun for rerun in why.reruns if isinstance(rerun.change, Whole)]


def test_the_orders_of_begins_and_of_commits_may_differ(open_transactions: OpenTransactions) -> None:
    # A begins to complete before B takes over, which A may; it commits afterwards.
    with open_transactions(defect=NO_TOKEN) as lane:
        shown = lines(lane, script(*TAKEN_OVER, A_COMPLETES, B_PREPARES, *COMPLETION))
    assert [" ".join(line.split()) for line in shown[:2]] == [
        "whole operations, as they begin passes",
        "whole operations, as they commit FAILS",
    ]
    assert shown[-1].startswith("protocol: ")


def test_without_enough_reruns_neither_is_concluded(open_transactions: OpenTransactions) -> None:
    with open_transactions(UNLOCKED) as lane:
        why = explain(lane, failing(lane, TWO_LEASES), budget=1)
    assert why.overlap is None


def test_a_kill_between_statements_is_played_whole_as_a_kill_before_the_commit(
    open_transactions: OpenTransactions,
) -> None:
    # B reads, A dies after its UPDATE: it is rolled back, and what B and C make of the row is what breaks.
    steps = script(
        *DELIVERED_TWICE[:5],
        turn("A", "SELECT ai_job"),
        turn("A", "UPDATE ai_job"),
        ("kill_in_flight", {"by": "A"}),
        ("duplicate", {"worker": "C", "message": "m2"}),
        ("prepare", {"worker": "B", "stepwise": True}),
        ("prepare", {"worker": "C", "stepwise": True}),
        turn("B", "SELECT ai_job"),
        turn("C", "SELECT ai_job"),
        turn("B", "UPDATE ai_job"),
        turn("B", "COMMIT"),
        turn("C", "UPDATE ai_job"),
        turn("C", "COMMIT"),
    )
    with open_transactions(UNLOCKED) as lane:
        why = explain(lane, failing(lane, steps))
    assert why.overlap is Overlap.ISOLATION
    assert act_text(why.acts[8]) == "A killed"
    results = {rerun.change: rerun.result for rerun in why.reruns}
    assert results[Without(5)] is Result.FAILS, "A, with its death, is no cause"
