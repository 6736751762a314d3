"""``-n`` of pytest-xdist: one header, one seed, and the controller prints what a worker found."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end.test_foreign_database import OVERRIDE
from tests.plugin.test_interrupted import BUSY, interrupted_run
from tests.support.commandline import (
    SHORT,
    SHORT_CONFTEST,
    STRANGER,
    Ran,
    at_once,
    run,
    write,
)

pytest.importorskip("xdist", reason="pytest-xdist (the extra fuzz) is not installed")

TWO = ("-n", "2")
ONE = ("-n", "1")
DEFECT = ("--defect", "refused_delivery_deletes_message")
INVARIANT = "messages_outlive_unfinished_jobs"

DYING = """
import os
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def create(self, job, tenant):
        os.kill(os.getpid(), 9)
"""

UNREADABLE = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def observe(self, jobs):
        raise LookupError("no such view")
"""

PLAIN = """
def test_it_is_a_worker(pytestconfig):
    assert pytestconfig.workerinput["workerid"]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> dict[str, Ran]:
    """Each run in a directory of its own, but for ``checkout``."""

    def place(name: str, **modules: str) -> Path:
        return write(tmp_path_factory.mktemp(name), **modules)

    def own_corpus(name: str) -> tuple[str, ...]:
        """What one of two runs in a directory finds, the other must not find first."""
        return "--hypothesis-seed=1", "--corpus", str(tmp_path_factory.mktemp(name))

    narrow = {"COLUMNS": "80", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    calls = {
        "checkout": partial(run, "statemachine/", *TWO, *DEFECT, *own_corpus("shared"), cwd=checkout),
        "alone": partial(run, "statemachine/", *DEFECT, *own_corpus("alone"), cwd=checkout),
        "stranger": partial(run, *STRANGER, *TWO, *SHORT, cwd=place("stranger", conftest=SHORT_CONFTEST)),
        "narrow": partial(
            run,
            *(*STRANGER, *ONE, *DEFECT, "--hypothesis-seed=1", "--tb=no", "-x"),
            cwd=place("narrow"),
            env=narrow,
        ),
        "dying": partial(
            run, *STRANGER, *ONE, "--binding", "theirs:Binding", cwd=place("dying", theirs=DYING)
        ),
        "foreign": partial(run, *STRANGER, *ONE, cwd=place("foreign", conftest=OVERRIDE)),
        "unreadable": partial(
            run, *STRANGER, *ONE, "--binding", "theirs:Binding", cwd=place("unreadable", theirs=UNREADABLE)
        ),
    }
    return dict(zip(calls, at_once(calls.values()), strict=True))


def figures(ran: Ran) -> list[str]:
    """The summary but for the time that it took."""
    return [re.sub(r" in \d+ s.* \([\d ]+ steps/s\)", "", line) for line in ran.summary]


def test_a_worker_finds_and_reports_what_one_process_does(ran: dict[str, Ran]) -> None:
    shared, alone = ran["checkout"], ran["alone"]
    assert shared.code == alone.code == 1
    assert shared.report[:-1] == alone.report[:-1]
    assert figures(shared) == figures(alone)
    assert shared.output.count("statemachine: models_under_test.binding:AIJobsBinding") == 1


def test_the_history_that_a_worker_saved_is_saved_once_and_can_be_replayed(
    ran: dict[str, Ran], checkout: Path
) -> None:
    folder = ran["checkout"].folder
    assert folder == ran["alone"].folder
    assert (checkout / folder / "history.ndjson").is_file()
    again = run("statemachine/", *DEFECT, "--replay", folder, *ONE, cwd=checkout)
    assert again.code == 1, again
    assert again.report[0] == f"FAIL  {INVARIANT}"
    assert again.verdict.startswith("REPRODUCED"), again


def test_a_run_that_ends_at_its_first_failure_has_one_verdict(ran: dict[str, Ran]) -> None:
    # pytest-xdist interrupts itself then.
    assert "stopping after 1 failures" in ran["narrow"].output
    assert "the run was interrupted" not in ran["narrow"].output


def test_a_seed_that_was_not_given_is_drawn_once_and_printed_twice(ran: dict[str, Ran]) -> None:
    stranger = ran["stranger"]
    assert stranger.code == 0, stranger
    assert stranger.verdict.startswith("PASS (reach not judged)")
    (header,) = re.findall(r"--hypothesis-seed=(\d+)\)", stranger.output)
    (closing,) = re.findall(r"steps/s\); seed (\d+)$", "\n".join(stranger.summary), re.M)
    assert header == closing


def test_the_controllers_terminal_is_what_a_worker_writes_for(ran: dict[str, Ran]) -> None:
    narrow = ran["narrow"]
    assert narrow.code == 2, narrow  # of -x under pytest-xdist, which interrupts itself
    assert narrow.output.isascii()
    assert [line for line in narrow.summary if len(line) > 80 and not line.startswith("    pytest ")] == []
    assert any(re.search(r"--replay=\.statemachine/\w+$", line) for line in narrow.summary), narrow


def test_a_worker_that_dies_leaves_a_sentence(ran: dict[str, Ran]) -> None:
    dying = ran["dying"]
    assert dying.code == 1, dying
    assert "INTERNALERROR" not in dying.output
    assert " ".join(dying.summary).startswith("UNKNOWN  worker gw0 died while it ran ")
    seed = re.findall(r"--hypothesis-seed=(\d+)", dying.output)
    assert len(seed) >= 2, "the header and the command"
    assert len(set(seed)) == 1


@pytest.mark.parametrize(
    ("name", "mentioned"), [("foreign", "precious.sqlite3"), ("unreadable", "LookupError: no such view")]
)
def test_a_worker_that_cannot_go_on_ends_the_run_as_one_process_would(
    name: str, mentioned: str, ran: dict[str, Ran]
) -> None:
    assert ran[name].code == 4, ran[name]
    assert mentioned in ran[name].output
    assert "INTERNALERROR" not in ran[name].output


def test_ctrl_c_says_that_what_the_workers_met_is_not_known(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows sends Ctrl-C to a console, not to a process")
    write(tmp_path, busy_binding=BUSY)
    told = interrupted_run(*STRANGER, *ONE, "--binding", "busy_binding:Binding", cwd=tmp_path)
    assert told.code == 2, told
    assert " ".join(told.summary).startswith("UNKNOWN  the run was interrupted"), told


def test_other_tests_of_the_same_run_are_shared_out_as_ever(tmp_path: Path) -> None:
    write(tmp_path, test_theirs=PLAIN)
    told = run("-p", "statemachine.plugin", "test_theirs.py", *TWO, cwd=tmp_path)
    assert told.code == 0, told
    assert "statemachine: embedded lane" not in told.output


def test_without_xdist_nothing_is_missed(tmp_path: Path) -> None:
    write(tmp_path, conftest=SHORT_CONFTEST)
    told = run(*STRANGER, "-p", "no:xdist", *SHORT, "--hypothesis-seed=1", cwd=tmp_path)
    assert told.code == 0, told
    assert told.verdict.startswith("PASS (reach not judged)")
