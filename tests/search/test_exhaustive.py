"""``--exhaust``: every order of two operations' statements is played once, and its report is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models_under_test.binding import AIJobsBinding
from statemachine.history.events import StepBegan
from statemachine.history.ndjson import Header
from statemachine.invariants import Verdict
from statemachine.report.text.figures import strategy_lines
from statemachine.search import exhaustive as exhaustion
from statemachine.search.corpus.entries import Corpus
from statemachine.search.corpus.places import Directory
from statemachine.search.exhaustive import SCENES, Exhaustion, NeverBoth
from statemachine.search.figures import Exhausted
from statemachine.search.lanes import TRANSACTIONS
from statemachine.world.transactions.lane import TransactionsLane
from tests.support.postgresql import OpenTransactions
from tests.support.unlocked import UNLOCKED
from tests.world.transactions import systems


class TwoStatements(systems.Rough):
    """Refuses an ended job after reading it: SELECT, COMMIT, and no locks."""

    def parts(self) -> dict[str, Any]:
        parts = super().parts()
        properly = parts["prepare_ai_job"]
        from models_under_test.domain import Refusal
        from models_under_test.models import AIJob

        def prepare(uow: Any, job_id: str, tenant_id: str, worker_id: str) -> Any:
            with uow:
                if AIJob.objects.filter(job_id=job_id, tenant_id=tenant_id, status="DONE").exists():
                    return Refusal.ALREADY_ENDED
            return properly(uow, job_id, tenant_id, worker_id)

        return {**parts, "prepare_ai_job": prepare}


class Sequences(Exhaustion):
    """Keeps who went on in which order, schedule by schedule."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.orders: list[tuple[str, ...]] = []
        ended = self.control.end_example

        def end_example(example: Any) -> None:
            steps = [event for event in example.events if isinstance(event, StepBegan) and not event.drain]
            went_on = (step.arguments["by"] for step in steps if step.operation == "proceed")
            self.orders.append(tuple(went_on))
            ended(example)

        self.control.end_example = end_example  # type: ignore[method-assign]


def exhausted(lane: TransactionsLane, folder: Path, *pair: str) -> Sequences:
    header = Header("binding", lane.binding.lifecycle, 1, lane="transactions")
    one, other = pair
    strategy = Sequences(
        lane, Corpus(Directory(folder), header), (one, other), lambda run: None, TRANSACTIONS
    )
    strategy.run()
    return strategy


def only(monkeypatch: pytest.MonkeyPatch, *situations: str) -> None:
    monkeypatch.setattr(exhaustion, "SCENES", {name: SCENES[name] for name in situations})


def test_two_statements_against_two_have_six_orders(
    open_transactions: OpenTransactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two who have not prepared are B and C; 4 over 2 orders.
    only(monkeypatch, "terminal")
    with open_transactions(f"{__name__}:TwoStatements") as lane:
        strategy = exhausted(lane, tmp_path, "prepare", "prepare")
    assert [seen.schedules for seen in strategy.played] == [6]
    assert sorted("".join(order) for order in strategy.orders) == sorted(
        ["BBCC", "BCBC", "BCCB", "CBBC", "CBCB", "CCBB"]
    )
    assert strategy_lines(strategy.figures())[-1] == "exhausted: 6 schedules"
    assert strategy.total.verdict is not Verdict.FAIL


def test_a_row_lock_leaves_fewer_orders(
    open_transactions: OpenTransactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one who locks first: SELECT FOR UPDATE, UPDATE, COMMIT.  The other one: its SELECT FOR UPDATE, which
    # is refused then, and COMMIT, 2 statements; or it waits, and is then 3 turns: SELECT, "resumes", COMMIT.
    # Say A is first.  B's first turn comes after A's 1st or 2nd statement (it waits) or after its COMMIT:
    #   after the 1st or the 2nd: A's rest up to COMMIT has one order, then B's "resumes" and COMMIT: 2 ways;
    #   after the COMMIT: 1 way.
    # That is 3, and as many with B first: 6.
    only(monkeypatch, "PENDING")
    with open_transactions() as lane:
        strategy = exhausted(lane, tmp_path, "prepare", "prepare")
    assert strategy.played == [Exhausted("PENDING", 6, 0, whole=True)]
    assert sorted("".join(order) for order in strategy.orders) == sorted(
        ["ABAABB", "AABABB", "AAABB", "BABBAA", "BBABAA", "BBBAA"]
    )


def test_every_schedule_is_played_once(open_transactions: OpenTransactions, tmp_path: Path) -> None:
    with open_transactions() as lane:
        strategy = exhausted(lane, tmp_path, "complete", "prepare")
    assert (
        sum(seen.schedules for seen in strategy.played)
        == len(strategy.orders)
        == strategy.total.tally.examples
    )
    assert all(seen.whole for seen in strategy.played)
    assert not strategy.total.doubts()
    assert not lane.in_flight


def test_failures_are_counted_saved_and_reported(
    open_transactions: OpenTransactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SELECT, UPDATE, COMMIT twice.  A schedule is right only where one has committed before the other reads:
    # two of them.  The UPDATE of one waits for the COMMIT of the one who has updated.
    only(monkeypatch, "PENDING")
    with open_transactions(UNLOCKED) as lane:
        strategy = exhausted(lane, tmp_path, "prepare", "prepare")
    (seen,) = strategy.played
    right = [order for order in strategy.orders if "".join(order) in ("AAABB", "BBBAA", "AAABBB", "BBBAAA")]
    assert len(right) == 2
    assert seen.broken == seen.schedules - 2 > 0
    assert len(strategy.total.findings) >= 1
    assert f"{seen.broken} of them break a claim" in "\n".join(strategy_lines(strategy.figures()))
    assert list(tmp_path.rglob("*.ndjson")) or list(tmp_path.rglob("*")), "it is kept in the corpus"


def test_more_schedules_than_the_bound_are_not_exhausted(
    open_transactions: OpenTransactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "PENDING")
    monkeypatch.setattr(exhaustion, "MOST", 4)
    with open_transactions() as lane:
        strategy = exhausted(lane, tmp_path, "prepare", "prepare")
    assert strategy.played == [Exhausted("PENDING", 4, 0, whole=False)]
    assert strategy_lines(strategy.figures())[-1] == "not exhausted: 4 schedules"
    assert strategy.total.verdict is Verdict.UNKNOWN
    assert any("more than 4 schedules, not exhausted" in doubt for doubt in strategy.total.doubts().lost)


def test_as_many_schedules_as_the_bound_are_exhausted(
    open_transactions: OpenTransactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "PENDING")
    monkeypatch.setattr(exhaustion, "MOST", 6)
    with open_transactions() as lane:
        strategy = exhausted(lane, tmp_path, "prepare", "prepare")
    assert strategy.played == [Exhausted("PENDING", 6, 0, whole=True)]


def test_a_pair_that_never_meets_is_refused(open_transactions: OpenTransactions, tmp_path: Path) -> None:
    with (
        open_transactions() as lane,
        pytest.raises(NeverBoth, match="--exhaust publish,publish: there is no situation in which both are"),
    ):
        exhausted(lane, tmp_path, "publish", "publish")


def test_an_operation_that_the_system_lacks_is_refused(
    open_transactions: OpenTransactions, tmp_path: Path
) -> None:
    with open_transactions() as lane, pytest.raises(NeverBoth):
        exhausted(lane, tmp_path, "renew", "prepare")


class OtherTenants(AIJobsBinding):
    tenants = ("acme", "globex")


def test_the_job_is_of_a_tenant_of_the_binding(
    open_transactions: OpenTransactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "PENDING")
    with open_transactions(f"{__name__}:OtherTenants") as lane:
        strategy = exhausted(lane, tmp_path, "prepare", "prepare")
    assert strategy.played == [Exhausted("PENDING", 6, 0, whole=True)]
