"""A run that finds a planted defect reports it, keeps its history, and says how to see it again.

What is asserted is substance: that the right claim is named, that everything the report points to
is there, and that the command it gives does what it says.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from models_under_test.defects import STORIES
from statemachine.history import ndjson
from statemachine.history.events import StepBegan
from statemachine.invariants import BY_NAME
from statemachine.invariants.judge import judge
from tests.end_to_end.conftest import Found
from tests.support.commandline import CHECKOUT, STRANGER, Ran, history_in, run
from tests.support.scripts import TOLD

DEFECT = "refused_delivery_deletes_message"
SEED = "--hypothesis-seed=1"

every_defect = pytest.mark.parametrize("defect", TOLD)


def named_invariant(defect: str) -> str:
    named = re.search(r"Caught by `(\w+)`", STORIES[defect])
    assert named, STORIES[defect]
    return named[1]


def paths_in(ran: Ran) -> set[str]:
    """Everything in the report that looks like a path."""
    return set(re.findall(r"(?:\.?\w+/)+[\w.]*", "\n".join(ran.report)))


@every_defect
def test_it_fails_by_the_invariant_that_the_defect_names(defect: str, runs: dict[str, Found]) -> None:
    ran = runs[defect].ran
    assert ran.code == 1, ran
    assert ran.report[0] == f"FAIL  {named_invariant(defect)}"
    assert any(line.startswith("FAIL") for line in ran.summary[-2:]), ran
    assert f"with the defect {defect} planted" in " ".join(ran.output.split())


@every_defect
def test_the_report_shows_the_steps_and_compares_at_the_failing_one(
    defect: str, runs: dict[str, Found]
) -> None:
    report = "\n".join(runs[defect].ran.report)
    assert re.search(r"^ +step +t \(s\) +event +.*row after the step$", report, re.M)
    failing = re.findall(r"^ *✗ +(?:\d+-)?(\d+) +([\d.]+) ", report, re.M)
    assert len(failing) == 1
    assert re.findall(r"^  At step (\d+) \(([\d.]+) s\) +expected +actual$", report, re.M) == failing


@every_defect
def test_the_saved_history_breaks_the_same_invariant_at_its_last_step(
    defect: str, runs: dict[str, Found]
) -> None:
    header, events = ndjson.read(runs[defect].history)
    assert (header.defect, header.seed) == (defect, 1)
    headline = judge(header.lifecycle, BY_NAME.values(), events).headline()
    assert headline is not None
    assert headline.invariant == named_invariant(defect)
    assert headline.step == [event.step for event in events if isinstance(event, StepBegan)][-1]


@every_defect
def test_no_lease_in_the_table_is_cut_off(defect: str, runs: dict[str, Found]) -> None:
    _, events = ndjson.read(runs[defect].history)
    seen = {row.lease_expires_at for event in events for row in getattr(event, "rows", ())}
    table = [line for line in runs[defect].ran.report if "j1 RUNNING" in line]
    shown = re.findall(r"→([\d.]+)\b", "\n".join(table))
    assert {float(figure) for figure in shown} <= seen


def test_every_path_that_the_report_names_is_there(checkout_runs: dict[str, Found]) -> None:
    ran, cwd = checkout_runs[DEFECT]
    assert ran.folder in paths_in(ran)
    assert [path for path in paths_in(ran) if not (cwd / path).exists()] == []
    assert checkout_runs[DEFECT].history.is_file()


def test_every_path_is_there_outside_of_a_checkout_too(runs: dict[str, Found]) -> None:
    ran, cwd = runs[DEFECT]
    assert [path for path in paths_in(ran) if not (cwd / path).exists()] == []


def test_the_command_in_the_report_reproduces_the_failure(checkout_runs: dict[str, Found]) -> None:
    ran, cwd = checkout_runs["lease_edge_excluded"]
    assert ran.reproduce[0] == "statemachine/"
    again = run(*ran.reproduce, cwd=cwd, script=True)
    assert again.code == 1, again
    assert again.verdict.startswith("REPRODUCED"), again


def test_the_command_reproduces_it_outside_of_a_checkout_too(runs: dict[str, Found]) -> None:
    ran, cwd = runs["running_job_reentered"]
    again = run(*ran.reproduce, cwd=cwd, script=True)
    assert again.code == 1, again
    assert again.verdict.startswith("REPRODUCED"), again


# -- the folder of the history ------------------------------------------------------------------


@pytest.fixture
def history(runs: dict[str, Found], tmp_path: Path) -> Path:
    """The history of an earlier run, in the directory where the defect is about to be found again."""
    found = runs[DEFECT]
    shutil.copytree(found.cwd / ".statemachine", tmp_path / ".statemachine")
    return history_in(tmp_path, found.ran)


def find_again(cwd: Path) -> Ran:
    return run(*CHECKOUT, "--defect", DEFECT, SEED, cwd=cwd)


def test_the_same_seed_saves_the_same_bytes_under_the_same_name(
    runs: dict[str, Found], tmp_path: Path
) -> None:
    first, second = runs[DEFECT], find_again(tmp_path)
    assert second.folder == first.ran.folder
    assert history_in(tmp_path, second).read_bytes() == first.history.read_bytes()


def test_running_again_leaves_foreign_files_alone(history: Path, tmp_path: Path) -> None:
    foreign = [history.with_name("notes.txt"), history.parents[1] / "elsewhere.txt"]
    for path in foreign:
        path.write_bytes(b"mine\r\n\xff")
    stamps = [path.stat().st_mtime_ns for path in foreign]
    again = find_again(tmp_path)
    assert history_in(tmp_path, again) == history
    assert [path.read_bytes() for path in foreign] == [b"mine\r\n\xff"] * 2
    assert [path.stat().st_mtime_ns for path in foreign] == stamps


def test_a_history_that_was_edited_is_kept_and_the_new_one_gets_a_name_of_its_own(
    history: Path, tmp_path: Path
) -> None:
    original = history.read_bytes()
    history.write_bytes(original + b"# mine\n")
    again = find_again(tmp_path)
    assert history_in(tmp_path, again) != history
    assert history_in(tmp_path, again).read_bytes() == original
    assert history.read_bytes() == original + b"# mine\n"


def test_a_binary_file_under_the_name_of_the_history_is_kept(history: Path, tmp_path: Path) -> None:
    history.write_bytes(b"\xff\xfe\x00")
    again = find_again(tmp_path)
    assert history.read_bytes() == b"\xff\xfe\x00"
    assert again.report[0] == f"FAIL  {named_invariant(DEFECT)}"


def test_a_folder_that_cannot_be_written_costs_the_history_and_not_the_report(tmp_path: Path) -> None:
    (tmp_path / ".statemachine").write_text("a file, not a folder")
    ran = find_again(tmp_path)
    assert ran.code == 1, ran
    assert ran.report[0] == f"FAIL  {named_invariant(DEFECT)}"
    assert SEED in ran.reproduce
    assert "could not be saved" in ran.output
    assert (tmp_path / ".statemachine").read_text() == "a file, not a folder"


def test_the_same_events_go_to_the_same_folder_whatever_the_seed(tmp_path: Path) -> None:
    # The second run finds the first one's failure in the corpus.
    for seed in (1, 2):
        again = ("-x", f"--hypothesis-seed={seed}")
        run(*STRANGER, "--defect", "lease_as_long_as_visibility", *again, cwd=tmp_path)
    saved = [path.read_text("utf-8").splitlines() for path in tmp_path.glob(".statemachine/*/*.ndjson")]
    assert all(lines[1:] == saved[0][1:] for lines in saved), "another failure: the premise is gone"
    assert len(saved) == 1
