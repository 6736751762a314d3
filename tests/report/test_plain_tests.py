"""The plain test that a failure is saved as: formatted, readable as Python, and true to the history."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from statemachine.history import ndjson
from statemachine.history.events import DrainBegan, DrainEnded, Event, StepBegan
from statemachine.history.ndjson import Header
from statemachine.invariants.claim import Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report import failure_folder as failures
from statemachine.report import timeline
from statemachine.report.plain_tests import NAME, regression_test
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Signature

PAGE = "<!doctype html>\n"
COMMAND = "pytest -p statemachine.plugin PATH"
LIFECYCLE = Lifecycle()
HEADER = Header("theirs.binding:Binding", LIFECYCLE)


def failure(*events: Event, story: str = "j1 never ends.", at_step: int = 2) -> Failure:
    headline = Violation("every_job_ends", "j1", at_step, 0, story, ())
    return Failure(headline, (), events, Signature("every_job_ends", "drain"))


def step(number: int, operation: str, **arguments: object) -> StepBegan:
    return StepBegan(0, number, operation, arguments)


PLAIN = failure(step(1, "create", job="j1", tenant="t1"), step(2, "publish", job="j1"))

SAYINGS = {
    "plain": "j1 never ends.",
    "quotes": 'it said "no" and """nothing""" more',
    "ends in a quote": 'it said "no"',
    "backslashes": r"C:\new\table \N{no such} \x",
    "several lines": "first\nsecond\r\n\tthird\x00",
    "other letters": "José said 否 to worker A",
    "long": "worker A " * 60,
}


def written(found: Failure, lane: str = "embedded") -> str:
    return regression_test(found, binding=HEADER.binding, command=COMMAND, lane=lane)


@pytest.mark.parametrize("story", SAYINGS.values(), ids=SAYINGS)
def test_the_file_is_python_whatever_the_system_said(story: str) -> None:
    tree = ast.parse(written(failure(step(1, "create"), story=story)))
    docstring = ast.get_docstring(tree)
    assert docstring is not None
    assert docstring.startswith("every_job_ends: ")
    assert f"\n    {COMMAND}\n" in docstring


CASES = {
    "plain": PLAIN,
    "values": failure(step(1, "create", job='j"1', tenant="t'1", fault=None), step(2, "wait", seconds=0.5)),
    "long calls": failure(
        step(1, "create", job="j1", tenant="the tenant with the very long name", fault="kill_before_commit")
    ),
    "drain": failure(step(1, "recover"), DrainBegan(0), DrainEnded(0, "stuck"), at_step=1),
    **{name: failure(step(1, "create"), story=story) for name, story in SAYINGS.items() if name != "plain"},
}


TURNS = failure(
    step(1, "prepare", worker="A", stepwise=True),
    step(2, "proceed", by="A", statement="SELECT ai_job FOR UPDATE"),
    step(3, "kill_in_flight", by="A"),
    at_step=3,
)


@pytest.mark.parametrize("width", [88, 110])
def test_the_file_is_as_a_formatter_leaves_it(width: int, tmp_path: Path) -> None:
    for name, found in CASES.items():
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(written(found), encoding="utf-8")
    for name, found in {**CASES, "turns": TURNS}.items():
        file = tmp_path / f"interleaved_{name.replace(' ', '_')}.py"
        file.write_text(written(found, "transactions"), encoding="utf-8")
    checks = (["format", "--check", "--diff"], ["check", "--select", "E4,E7,E9,F,I,UP,W"])
    for check in checks:
        words = [sys.executable, "-m", "ruff", *check, "--isolated", "--line-length", str(width), "."]
        if check[0] == "check":
            words += ["--config", 'lint.isort.known-third-party=["statemachine"]']
        ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def calls(found: Failure, lane: str = "embedded", fixture: str = "leased_jobs") -> list[str]:
    body = ast.parse(written(found, lane)).body[-1]
    assert isinstance(body, ast.FunctionDef)
    assert [argument.arg for argument in body.args.args] == [fixture]
    return [ast.unparse(line).removeprefix(f"{fixture}.") for line in body.body]


def test_turns_are_played_by_the_fixture_of_their_lane() -> None:
    assert calls(TURNS, "transactions", "interleaved_jobs")[1:] == [
        "play('prepare', worker='A', stepwise=True)",
        "play('proceed', by='A', statement='SELECT ai_job FOR UPDATE')",
        "play('kill_in_flight', by='A')",
        "check('every_job_ends')",
    ]


def test_every_step_is_played_and_then_judged() -> None:
    assert calls(PLAIN) == [
        "expect_binding('theirs.binding:Binding')",
        "play('create', job='j1', tenant='t1')",
        "play('publish', job='j1')",
        "check('every_job_ends')",
    ]


def test_a_gap_in_the_numbers_is_kept_since_names_come_from_them() -> None:
    found = failure(step(4, "create", job="j4"), step(5, "publish", job="j4"), step(9, "recover"))
    assert calls(found)[1:4] == [
        "play('create', step=4, job='j4')",
        "play('publish', job='j4')",
        "play('recover', step=9)",
    ]


def test_the_moves_of_a_drain_are_left_to_the_drain() -> None:
    moves = StepBegan(0, 2, "recover", {}, drain=True)
    found = failure(step(1, "create", job="j1"), DrainBegan(0), moves, DrainEnded(0, "stuck"))
    assert calls(found)[1:] == ["play('create', job='j1')", "drain()", "check('every_job_ends')"]


# -- saving it ------------------------------------------------------------------------------------


def save(root: Path) -> failures.Saved:
    saved = failures.save(HEADER, PLAIN, COMMAND, root)
    return failures.save_page(saved, PAGE)


def test_history_test_and_page_are_saved_side_by_side(tmp_path: Path) -> None:
    saved = save(tmp_path)
    assert (saved.test, saved.page) == (saved.folder / NAME, saved.folder / timeline.NAME)
    names = sorted(path.name for path in saved.folder.iterdir())
    assert names == ["history.ndjson", NAME, "timeline.html"]
    assert (saved.folder / timeline.NAME).read_text("utf-8") == PAGE
    assert f"\n    {COMMAND}\n" in saved.test.read_text("utf-8")
    assert ndjson.read(saved.folder)[1] == list(PLAIN.events)


def test_a_folder_that_lacks_the_test_gets_it(tmp_path: Path) -> None:
    (save(tmp_path).folder / NAME).unlink()
    saved = save(tmp_path)
    assert saved.test is not None
    assert saved.test.is_file()


def test_a_test_that_was_edited_is_kept(tmp_path: Path) -> None:
    file = save(tmp_path).folder / NAME
    file.write_text("# mine\n")
    assert save(tmp_path).test == file
    assert file.read_text() == "# mine\n"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """After ``full_disk(name)`` a file whose name begins so can only be written half."""
    write = Path.write_bytes

    def fill(name: str) -> None:
        def write_half(path: Path, data: bytes) -> int:
            if not path.name.startswith(name):
                return write(path, data)
            write(path, data[: len(data) // 2])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", write_half)

    return fill


def test_a_full_disk_leaves_no_half_a_history(tmp_path: Path, full_disk: Callable[[str], None]) -> None:
    full_disk("history")
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".gitignore"]


def test_a_full_disk_leaves_no_half_a_test_and_the_history(
    tmp_path: Path, full_disk: Callable[[str], None]
) -> None:
    full_disk("test_")
    saved = save(tmp_path)
    assert saved.test is None
    assert "No space left" in saved.lacks
    assert sorted(path.name for path in saved.folder.iterdir()) == ["history.ndjson", timeline.NAME]


def test_a_full_disk_leaves_no_half_a_page_and_the_rest(
    tmp_path: Path, full_disk: Callable[[str], None]
) -> None:
    full_disk("timeline")
    saved = save(tmp_path)
    assert saved.page is None
    assert saved.page_line.startswith("(the page could not be saved: ")
    assert "No space left" in saved.page_line
    assert sorted(path.name for path in saved.folder.iterdir()) == ["history.ndjson", NAME]


def test_a_page_is_written_anew_and_an_old_one_survives_a_full_disk(
    tmp_path: Path, full_disk: Callable[[str], None]
) -> None:
    page = save(tmp_path).folder / timeline.NAME
    page.write_text("of an earlier run", encoding="utf-8")
    assert save(tmp_path).page == page
    assert page.read_text("utf-8") == PAGE
    full_disk("timeline")
    assert save(tmp_path).page is None
    assert page.read_text("utf-8") == PAGE


@pytest.mark.parametrize("module", ["statemachine.regression", "statemachine.report.leased_jobs"])
def test_a_plain_test_needs_no_hypothesis(module: str) -> None:
    code = f"import sys, {module}; print('hypothesis' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize(("lane", "kind"), [("embedded", "LeasedJobs"), ("transactions", "InterleavedJobs")])
def test_it_imports_the_module_that_stays_importable(lane: str, kind: str) -> None:
    # Users copy these tests into their projects: the import must outlive any move inside of the package.
    assert f"\nfrom statemachine.regression import {kind}\n" in written(PLAIN, lane)
