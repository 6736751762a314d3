"""``plain-test`` writes what the failing run would have written, and says in a sentence why it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from statemachine.__main__ import main
from statemachine.history.ndjson import Header
from statemachine.report import failure_folder
from statemachine.report.asked import plain_test_command
from statemachine.report.console import DONE, MISUSED
from statemachine.report.plain_tests import NAME
from tests.conftest import OpenLane
from tests.defects.test_planted import shown
from tests.support.scripts import MINIMAL

BINDING = "models_under_test.binding:AIJobsBinding"
DEFECT = "refused_delivery_deletes_message"
IN_DRAIN = "sweep_never_marks"


@pytest.fixture(params=[DEFECT, IN_DRAIN])
def folder(request: pytest.FixtureRequest, open_lane: OpenLane, tmp_path: Path) -> Path:
    """The folder of a failure as a run saves it."""
    with open_lane(request.param) as lane:
        failure = shown(lane, MINIMAL[request.param])
        assert failure is not None
        header = Header(BINDING, lane.binding.lifecycle, 1, request.param)
        command = plain_test_command(BINDING, request.param)
        return failure_folder.save(header, failure, command, tmp_path / "failures").folder


def test_the_test_is_that_of_the_failing_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = (folder / NAME).read_text("utf-8")
    (folder / NAME).write_text("raise SystemExit('was run')", encoding="utf-8")
    try:
        assert main(["plain-test", str(folder)]) == DONE
        assert capsys.readouterr().out == written
        assert main(["plain-test", str(folder), "-o", str(tmp_path / "test_a.py")]) == DONE
    finally:
        (folder / NAME).write_text(written, encoding="utf-8")
    assert (tmp_path / "test_a.py").read_text("utf-8") == written


def test_a_file_that_is_there_is_replaced_only_when_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text("mine", encoding="utf-8")
    assert main(["plain-test", str(folder), "-o", str(file)]) == MISUSED
    assert capsys.readouterr().err.endswith(
        "it is there already; give another name, or --force to replace it\n"
    )
    assert file.read_text("utf-8") == "mine"
    assert main(["plain-test", str(folder), "-o", str(tmp_path), "--force"]) == MISUSED
    assert capsys.readouterr().err.endswith("it is there already; give the name of a file\n")
    assert main(["plain-test", str(folder), "-o", str(file), "--force"]) == DONE
    assert file.read_text("utf-8") == (folder / NAME).read_text("utf-8")
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["mine.py"], "no part is left"


def refusal(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["plain-test", str(path)]) == MISUSED
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_what_is_wrong_is_said_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "history.ndjson"
    whole = file.read_text("utf-8")
    file.write_text(whole.replace('"job": "j1"', '"job": 7', 1), encoding="utf-8")
    assert "history.ndjson, line 3: not an event of version 1 (step 1 cannot" in refusal(folder, capsys)
    header, _, events = whole.partition("\n")
    file.write_text(f"{json.dumps(json.loads(header) | {'lane': 'processes'})}\n{events}", encoding="utf-8")
    assert "names the lane 'processes', and plain tests are played in those of" in refusal(folder, capsys)
    steps = [line for line in events.splitlines() if '"StepBegan"' in line and '"drain": false' in line]
    file.write_text("\n".join([header, *steps]), encoding="utf-8")
    assert "this history breaks no claim" in refusal(folder, capsys)
    assert "gone cannot be read (No such file or directory)" in refusal(Path("gone"), capsys)
