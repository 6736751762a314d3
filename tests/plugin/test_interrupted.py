"""Ctrl-C or SIGTERM ends a run in order: exit code 2, what was done so far, no verdict that is not earned."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.support.commandline import STRANGER, Ran, interrupt, run, write

BUSY = """
from pathlib import Path
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    created = 0

    def create(self, job, tenant):
        self.created += 1
        if self.created == 50:
            Path("busy").touch()
        super().create(job, tenant)
"""


def interrupted_run(*arguments: str, cwd: Path, number: signal.Signals = signal.SIGINT) -> Ran:
    """Run pytest with :data:`BUSY` in ``cwd`` and interrupt it once it is busy."""
    return interrupt(*arguments, cwd=cwd, busy=(cwd / "busy").exists, number=number)


INTERRUPTED_WHILE_SHRINKING = """
import statemachine.search.findings

def interrupted(lane, failure, others, budget):
    raise KeyboardInterrupt

statemachine.search.findings.minimise = interrupted
"""


@pytest.fixture(scope="module", params=["SIGINT", "SIGTERM"])
def interrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A clean run of 2,000 examples that gets a real signal after its first few dozen."""
    if sys.platform == "win32":
        pytest.skip("Windows sends Ctrl-C to a console, not to a process")
    cwd = write(tmp_path_factory.mktemp("interrupted"), busy_binding=BUSY)
    arguments = (*STRANGER, "--binding", "busy_binding:Binding", "--hypothesis-seed=1")
    ran = interrupted_run(*arguments, cwd=cwd, number=signal.Signals[request.param])
    assert [path.name for path in (cwd / ".statemachine").glob("[!.]*")] == ["run.json"]
    return ran


def test_it_ends_as_interrupted_runs_of_pytest_do(interrupted: Ran) -> None:
    assert interrupted.code == 2, interrupted
    assert "INTERNALERROR" not in interrupted.output


def test_the_summary_says_so_and_does_not_pass(interrupted: Ran) -> None:
    assert any("interrupted" in line for line in interrupted.summary), interrupted
    assert interrupted.verdict.startswith("UNKNOWN")
    assert "PASS" not in "\n".join(interrupted.summary)


def test_examples_and_speed_so_far_are_printed(interrupted: Ran) -> None:
    told = [line for line in interrupted.summary if "examples, " in line]
    assert len(told) == 1
    assert not told[0].startswith("0 ")
    assert "(0 steps/s)" not in told[0]


INTERRUPTED_WHILE_EXPLAINING = """
import statemachine.plugin.search_player

def interrupted(lane, failure, time):
    raise KeyboardInterrupt

statemachine.plugin.search_player.explain = interrupted
"""


@pytest.fixture(scope="module")
def shrinking(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    cwd = write(tmp_path_factory.mktemp("shrinking"), conftest=INTERRUPTED_WHILE_SHRINKING)
    defect = ("--defect", "refused_delivery_deletes_message", "--hypothesis-seed=1")
    return run(*STRANGER, *defect, cwd=cwd)


def test_a_failure_that_was_being_shrunk_is_still_a_failure(shrinking: Ran) -> None:
    assert shrinking.code == 2, shrinking
    assert shrinking.verdict.startswith("FAIL")


def test_a_failure_that_was_being_shrunk_is_named(shrinking: Ran) -> None:
    named = "FAIL  messages_outlive_unfinished_jobs" in shrinking.output
    assert named or "above" not in shrinking.summary[-1]


def test_a_failure_that_was_being_explained_is_reported_without_its_why(tmp_path: Path) -> None:
    cwd = write(tmp_path, conftest=INTERRUPTED_WHILE_EXPLAINING)
    ran = run(*STRANGER, "--defect", "refused_delivery_deletes_message", "--hypothesis-seed=1", cwd=cwd)
    assert ran.code == 2, ran
    assert ran.report[0] == "FAIL  messages_outlive_unfinished_jobs"
    assert "  Why" not in ran.output
    assert (cwd / ran.folder / "history.ndjson").is_file()
