"""The plain test of a failure of the transactions lane: it fails on the bug, and passes on what mends it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from statemachine.binding import DEFAULT_BINDING
from statemachine.history import ndjson
from statemachine.history.ndjson import Header
from statemachine.report import failure_folder as failures
from statemachine.report.leased_jobs import InterleavedJobs, LeasedJobs, Misused
from statemachine.search.triage.script import Step, play
from statemachine.world.lane import Lane
from tests.support.interleaved_scripts import (
    DELIVERED_TWICE,
    KILLS,
    LOCKED,
    OFFICES,
    TWO_LEASES,
    TWO_PREPARES,
    turn,
)
from tests.support.postgresql import OpenTransactions
from tests.support.scripts import script
from tests.support.unlocked import UNLOCKED

CLAIM = "one_holder_at_a_time"


def play_all(jobs: LeasedJobs, steps: list[Step]) -> None:
    for step in steps:
        jobs.play(step.operation, **step.arguments)


def test_the_file_that_is_saved_fails_as_the_failure_did(
    open_transactions: OpenTransactions, tmp_path: Path
) -> None:
    with open_transactions(UNLOCKED) as lane:
        failure = play(lane, TWO_LEASES).failure
        assert failure is not None
        header = Header(UNLOCKED, lane.binding.lifecycle, lane="transactions")
        saved = failures.save(header, failure, "pytest PATH", tmp_path)
        assert ndjson.read(saved.folder)[0].lane == "transactions"
        assert saved.test is not None
        text = saved.test.read_text("utf-8")
        assert ast.parse(text)
        module: dict[str, object] = {}
        exec(compile(text, str(saved.test), "exec"), module)
        test = module[f"test_{CLAIM}"]
        assert callable(test)
        with pytest.raises(AssertionError) as caught:
            test(InterleavedJobs(lane, UNLOCKED))
    assert failure.headline.story in str(caught.value)
    assert "COMMIT → prepare ok" in str(caught.value)


@pytest.mark.parametrize("steps", [TWO_LEASES, TWO_PREPARES, KILLS, OFFICES], ids=range(4))
def test_it_passes_on_code_that_locks_whatever_its_statements(
    steps: list[Step], open_transactions: OpenTransactions
) -> None:
    with open_transactions() as lane:
        jobs = InterleavedJobs(lane, DEFAULT_BINDING)
        play_all(jobs, steps)
        jobs.check(CLAIM)
        assert not lane.in_flight


def test_what_is_still_in_flight_ends_before_it_is_judged(open_transactions: OpenTransactions) -> None:
    with open_transactions(UNLOCKED) as lane:
        jobs = InterleavedJobs(lane, UNLOCKED)
        play_all(jobs, TWO_LEASES[:-3])
        with pytest.raises(AssertionError, match=CLAIM):
            jobs.check(CLAIM)


def test_a_step_that_cannot_overlap_waits_until_all_have_ended(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        jobs = InterleavedJobs(lane, DEFAULT_BINDING)
        play_all(jobs, script(*DELIVERED_TWICE, turn("A", LOCKED), ("complete", {"worker": "A"})))
        jobs.check()
        assert [row.status for row in lane.example.ledger.rows.values()] == ["DONE"]


def test_a_drain_ends_what_is_in_flight_first(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        jobs = InterleavedJobs(lane, DEFAULT_BINDING)
        play_all(jobs, TWO_PREPARES[:-3])
        jobs.drain()
        jobs.check("every_job_ends")


@pytest.mark.parametrize("step", [DELIVERED_TWICE[4], turn("A", LOCKED)], ids=["stepwise", "proceed"])
def test_operations_that_run_whole_do_not_pass_for_it(
    step: tuple[str, dict[str, object]], lane: Lane
) -> None:
    jobs = LeasedJobs(lane, DEFAULT_BINDING)
    play_all(jobs, script(*DELIVERED_TWICE[:4]))
    with pytest.raises(Misused, match="use the fixture interleaved_jobs"):
        jobs.play(step[0], **step[1])
