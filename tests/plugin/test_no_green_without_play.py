"""Exit code 0 is for a verdict: code under test that ends the run in any other way never gets it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.support.commandline import SHORT, SHORT_CONFTEST, STRANGER, Ran, at_once, command, run, write

ENDING = """
import os, sys
import pytest
from models_under_test.binding import AIJobsBinding

class Exits(AIJobsBinding):
    def publish(self, job, tenant):
        os._exit(0)

class ExitsWhenOpened(AIJobsBinding):
    def open(self, *world):
        os._exit(0)

class Skips(AIJobsBinding):
    def open(self, *world):
        pytest.skip("nothing to see")

class Quits(AIJobsBinding):
    def reset(self, jobs):
        pytest.exit("that is all", returncode=0)
"""

SAID = {
    "Exits": "UNKNOWN  the run cannot vouch for the system: the code under test called os._exit(0) at ",
    "ExitsWhenOpened": "UNKNOWN  the code under test called os._exit(0) at ",
    "Skips": "UNKNOWN  the embedded lane was skipped by the code under test or its binding (Skipped: nothing",
    "Quits": "that is all",
}


def test_no_way_of_ending_is_a_pass(tmp_path: Path) -> None:
    cwd = write(tmp_path, conftest=SHORT_CONFTEST, ending=ENDING)
    options = (*STRANGER, *SHORT, "--lane", "embedded", "--hypothesis-seed=1", "--binding")
    for name, ran in zip(
        SAID, at_once(partial(run, *options, f"ending:{name}", cwd=cwd) for name in SAID), strict=True
    ):
        assert ran.code not in (0, 5), ran
        assert SAID[name] in " ".join(ran.output.split()).replace("UNKNOWN ", "UNKNOWN  "), ran
        assert "INTERNALERROR" not in ran.output
        assert "PASS" not in ran.output


def test_commands_need_a_verdict_as_well(tmp_path: Path) -> None:
    cwd = write(tmp_path, ending=ENDING)
    ran: Ran = command("check-binding", "ending:ExitsWhenOpened", cwd=cwd)
    assert ran.code == 1, ran
    assert "os._exit(0)" in ran.output
    assert command("check-binding", "sys:exit", cwd=cwd).code == 1


def test_a_short_run_by_time_that_did_not_judge_every_claim_is_unknown(tmp_path: Path) -> None:
    cwd = write(
        tmp_path,
        conftest="from hypothesis import settings\n"
        "settings.register_profile('one', max_examples=1, stateful_step_count=1)\n",
    )
    ran = run(*STRANGER, "--hypothesis-profile", "one", "--lane", "embedded", cwd=cwd)
    assert ran.code == 1, ran
    assert ran.verdict.startswith("UNKNOWN"), ran
    assert "invariant never judged: " in ran.output
