"""The plain test that a failing run saves fails on the defect and passes on the correct system.

Copied among other tests and run there by pytest in a process of its own, by the command that its text gives.
"""

from __future__ import annotations

import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Found
from tests.support.commandline import CHECKOUT, Ran, at_once, run, write
from tests.support.scripts import TOLD

DEFECT = "refused_delivery_deletes_message"
PLAIN = ("-p", "statemachine.plugin")

every_defect = pytest.mark.parametrize("defect", TOLD)


def plain_test(found: Found) -> Path:
    return found.history.with_name("test_regression.py")


def command(found: Found, path: str) -> list[str]:
    """The arguments of pytest in the command that the plain test gives, for a copy of it at ``path``."""
    (line,) = re.findall(r"^    (pytest .* PATH)$", plain_test(found).read_text("utf-8"), re.M)
    words = shlex.split(line)
    return [*words[1:-1], path]


def named_in(ran: Ran) -> list[str]:
    """Where the report says that the plain test is."""
    return [line.split()[0] for line in ran.report if "(a plain test for your own suite)" in line]


def run_a_copy(found: Found) -> Ran:
    shutil.copy(plain_test(found), found.cwd / "test_copied.py")
    return run(*command(found, "test_copied.py"), cwd=found.cwd, script=True)


@pytest.fixture(scope="module")
def on_the_defect(runs: dict[str, Found]) -> dict[str, Ran]:
    answers = at_once(partial(run_a_copy, found) for found in runs.values())
    return dict(zip(runs, answers, strict=True))


@pytest.fixture(scope="module")
def on_the_correct_system(runs: dict[str, Found], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All of them at once, each under a name of its own, as one keeps them."""
    cwd = tmp_path_factory.mktemp("kept")
    for defect, found in runs.items():
        shutil.copy(plain_test(found), cwd / f"test_{defect}.py")
    return run(*PLAIN, "-v", cwd=cwd)


@every_defect
def test_it_fails_on_the_defect_and_names_the_claim(
    defect: str, runs: dict[str, Found], on_the_defect: dict[str, Ran]
) -> None:
    ran, report = on_the_defect[defect], runs[defect].ran.report
    assert ran.code == 1, ran
    assert "1 failed" in ran.lines[-1]
    claim, story = report[0].split()[1], report[1].strip()
    assert f"AssertionError: {claim}: {story}" in ran.output
    table = [line for line in report if line.startswith("  ✗")]
    assert any(line.endswith(table[0].rstrip()) for line in ran.lines), "the failing step is shown"


@every_defect
def test_it_passes_on_the_correct_system(defect: str, on_the_correct_system: Ran) -> None:
    assert on_the_correct_system.code == 0, on_the_correct_system
    passed = [line for line in on_the_correct_system.lines if line.startswith(f"test_{defect}.py::test_")]
    assert len(passed) == 1
    assert "PASSED" in passed[0]


def test_in_a_checkout_the_command_is_as_short_as_can_be(checkout_runs: dict[str, Found]) -> None:
    found = checkout_runs[DEFECT]
    assert command(found, "test_copied.py") == ["--defect", DEFECT, "test_copied.py"]
    again = run_a_copy(found)
    assert again.code == 1, again
    assert "AssertionError: messages_outlive_unfinished_jobs: " in again.output
    assert run("test_copied.py", cwd=found.cwd, script=True).code == 0


def test_the_traceback_ends_in_the_test(on_the_defect: dict[str, Ran]) -> None:
    output = on_the_defect[DEFECT].output
    assert "test_copied.py:" in output
    assert "statemachine/report/leased_jobs.py" not in output.replace("\\", "/")


@every_defect
def test_the_report_says_where_it_is(defect: str, runs: dict[str, Found]) -> None:
    found = runs[defect]
    assert named_in(found.ran) == [plain_test(found).relative_to(found.cwd).as_posix()]


OTHERS = {
    "unjudged": """
def test_it(leased_jobs):
    leased_jobs.play("create", job="j1", tenant="t1")
""",
    "foreign": """
def test_it(leased_jobs):
    leased_jobs.expect_binding("theirs.binding:Binding")
""",
    "drained": """
def test_it(leased_jobs):
    leased_jobs.play("create", job="j1", tenant="t1")
    leased_jobs.drain()
    leased_jobs.check("every_job_ends")
""",
}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    modules = {f"test_{name}": text for name, text in OTHERS.items()}
    return run(*PLAIN, cwd=write(tmp_path_factory.mktemp("others"), **modules))


def test_a_test_that_judges_nothing_does_not_pass(others: Ran) -> None:
    assert "ERROR test_unjudged.py" in others.output
    assert "end the test with leased_jobs.check()" in others.output


def test_a_test_of_another_binding_says_so(others: Ran) -> None:
    assert "FAILED test_foreign.py" in others.output
    assert "give --binding theirs.binding:Binding" in others.output


def test_tests_beside_them_are_not_disturbed(others: Ran) -> None:
    # The body of the test that judges nothing passes; what fails is its end.
    assert "1 failed, 2 passed, 1 error" in others.lines[-1], others


def test_a_test_that_cannot_be_saved_costs_neither_history_nor_report(
    runs: dict[str, Found], tmp_path: Path
) -> None:
    found = runs[DEFECT]
    folder = tmp_path / found.ran.folder
    (folder / "test_regression.py.part").mkdir(parents=True)
    ran = run(*CHECKOUT, "--defect", DEFECT, "--hypothesis-seed=1", cwd=tmp_path)
    assert ran.code == 1, ran
    assert ran.folder == found.ran.folder
    assert (folder / "history.ndjson").is_file()
    assert any("the plain test could not be saved" in line for line in ran.report)
    assert named_in(ran) == []


def test_a_replay_names_the_test_only_where_there_is_one(runs: dict[str, Found], tmp_path: Path) -> None:
    found = runs[DEFECT]
    shutil.copytree(found.history.parent, tmp_path / "kept")
    shutil.copy(found.history, tmp_path / "alone.ndjson")
    kept, alone = at_once(
        partial(run, *CHECKOUT, "--defect", DEFECT, "--replay", name, cwd=tmp_path)
        for name in ("kept", "alone.ndjson")
    )
    assert named_in(kept) == ["kept/test_regression.py"]
    assert named_in(alone) == []
