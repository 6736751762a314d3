"""Each moment is met as its name says, by what other connections see; one that has passed is not met."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statemachine.processes.databases import private_database
from statemachine.processes.moments import BEFORE_DELETE, IN_PREPARE, MOMENTS, PULSES, RUNNING, meet
from tests.processes.scripted import ScriptedFleet, logged, logging_at_once, running
from tests.support.commandline import REPO
from tests.support.waiting import until

PENDING, ACQUIRED, DONE = ["PENDING", 0, 0], ["RUNNING", 1, 0], ["DONE", 1, 1]
EXPECTED: dict[str, tuple[list[Any], bool, set[str]]] = {
    # Moment: the committed row, whether a transaction that writes is open, and what was logged last.
    "before prepare": (PENDING, False, {"message.received"}),
    "inside prepare's transaction": (PENDING, True, {"prepare.called"}),
    "while RUNNING": (ACQUIRED, False, {"prepare.accepted", "inference.started", "visibility.extended"}),
    "inside the finish's transaction": (ACQUIRED, True, {"finish.called"}),
    "between commit and delete": (DONE, False, {"finish.accepted", "delete.called"}),
}
ON_ITS_WAY = "between commit and delete"
"""Here the deletion may have been asked for, and the queue may have carried it out."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_each_moment_is_met_as_it_says(database: str, request: pytest.FixtureRequest) -> None:
    server = [request.getfixturevalue("postgresql_server")] if database == "postgresql" else []
    ran = subprocess.run(
        [sys.executable, "-m", "tests.processes.meeting", *server],
        cwd=REPO,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        # A busy machine needs hundreds of jobs for the moments between two lines of a log.
        timeout=240,
    )
    told = {each["moment"]: each for each in map(json.loads, ran.stdout.splitlines())}
    assert set(told) == set(EXPECTED) == {moment.name for moment in MOMENTS}
    for moment, (row, writes, last) in EXPECTED.items():
        each = told[moment]
        assert each["last"] in last, moment
        assert each["silent"], f"frozen {moment}, and it wrote a line"
        then, after = each["then"], each["after"]
        left = {0, 1} if moment == ON_ITS_WAY else {1}
        assert then["row"] == row, moment
        assert then["messages"] in left, moment
        # A worker reads the job's request while RUNNING, in a transaction that takes SQLite's lock as well.
        reads = moment == "while RUNNING" or database == "postgresql"
        assert then["open"] == writes or (reads and not writes), moment
        # Killed there: what was not committed never is, and the message is left.
        assert (after["row"], after["open"]) == (row, False), moment
        assert after["messages"] in left, moment


def test_a_moment_that_has_passed_is_not_met_and_the_worker_runs_on(tmp_path: Path) -> None:
    program = logging_at_once("finish.accepted", "delete.called", "message.deleted") + (
        '\nprint(\'{"event": "went on"}\', flush=True)\ntime.sleep(60)'
    )
    program = program.replace("time.sleep(60)\nprint", "time.sleep(0.3)\nprint")
    with private_database(tmp_path) as database, running(ScriptedFleet(program)) as worker:
        until(worker.read)
        assert not meet(worker, BEFORE_DELETE, database)
        assert not worker.frozen
        logged(worker, "went on")


def test_a_transaction_that_never_opens_is_not_waited_for(tmp_path: Path) -> None:
    with (
        private_database(tmp_path) as database,
        running(ScriptedFleet(logging_at_once("prepare.called"))) as worker,
    ):
        until(worker.read)
        looks = 0

        def in_transaction() -> bool:
            nonlocal looks
            looks += 1
            return False

        database.in_transaction = in_transaction  # type: ignore[method-assign]
        assert not meet(worker, IN_PREPARE, database)
        assert looks == PULSES
        assert worker.alive
        assert not worker.frozen


def test_a_short_transaction_of_another_process_is_not_taken_for_the_workers(tmp_path: Path) -> None:
    with (
        private_database(tmp_path) as database,
        running(ScriptedFleet(logging_at_once("prepare.called"))) as worker,
    ):
        until(worker.read)
        # Open at the first look of each pulse, over at the second: it goes on while the worker stands still.
        answers = iter([True, False] * PULSES)
        database.in_transaction = lambda: next(answers)  # type: ignore[method-assign]
        assert not meet(worker, IN_PREPARE, database)


def test_a_worker_that_has_ended_is_not_met(tmp_path: Path) -> None:
    program = logging_at_once("prepare.accepted", then="")
    with private_database(tmp_path) as database, running(ScriptedFleet(program)) as worker:
        until(worker.read)
        worker.wait(10)
        assert not meet(worker, RUNNING, database)
