"""What was downloaded runs nothing and configures nothing, whatever it names and whatever lies beside it."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path

import pytest

from statemachine.report.console import MISUSED
from tests.end_to_end.conftest import Found
from tests.support.commandline import CHECKOUT, STRANGER, Ran, at_once, command, run, write

DEFECT = "refused_delivery_deletes_message"
EVIL = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
from models_under_test.binding import AIJobsBinding as Binding
"""


@pytest.fixture(scope="module")
def configured(runs: dict[str, Found], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """A history that came with a configuration of pytest, replayed from a directory that has none."""
    cwd = tmp_path_factory.mktemp("configured")
    folder = shutil.copytree(runs[DEFECT].history.parent, cwd / "downloaded" / "failure")
    ini = cwd / "downloaded" / "pytest.ini"
    ini.write_text("[pytest]\naddopts = --lane embedded --collect-only\n", encoding="utf-8")
    play = partial(run, *STRANGER, "--defect", DEFECT, cwd=cwd, script=True)
    asked = {
        "with =": partial(play, "--replay=downloaded/failure"),
        "apart": partial(play, "--replay", "downloaded/failure"),
        "by an absolute path": partial(play, "--replay", str(folder)),
    }
    return dict(zip(asked, at_once(asked.values()), strict=True))


def test_a_configuration_beside_a_history_is_not_looked_for(configured: dict[str, Ran]) -> None:
    ran = configured["with ="]
    assert ran.code == 1, ran
    assert ran.verdict.startswith("REPRODUCED"), ran


@pytest.mark.parametrize("way", ["apart", "by an absolute path"])
def test_a_configuration_that_pytest_found_there_is_refused(way: str, configured: dict[str, Ran]) -> None:
    ran = configured[way]
    assert ran.code == 4, ran
    (line,) = (line for line in ran.lines if line.startswith("ERROR: "))
    assert re.search(r"--replay .*: .*pytest\.ini came with the history, and would configure this run;", line)
    assert "Traceback" not in ran.output


def test_a_conftest_beside_a_history_does_not_run(runs: dict[str, Found], tmp_path: Path) -> None:
    folder = shutil.copytree(runs[DEFECT].history.parent, tmp_path / "failure")
    write(folder, conftest=EVIL)
    ran = run(*CHECKOUT, "--replay=failure", "--defect", DEFECT, cwd=tmp_path)
    assert ran.verdict.startswith("REPRODUCED"), ran
    assert not (folder / "ran").exists()


def test_a_replay_never_starts_real_processes(runs: dict[str, Found], tmp_path: Path) -> None:
    header, _, events = runs[DEFECT].history.read_text("utf-8").partition("\n")
    named = json.dumps(json.loads(header) | {"lane": "processes"})
    (tmp_path / "history.ndjson").write_text(f"{named}\n{events}", encoding="utf-8")
    ran = run(*CHECKOUT, "--replay=history.ndjson", "--defect", DEFECT, cwd=tmp_path)
    assert ran.code == 4, ran
    assert "the history names the lane 'processes', and only those of embedded and transactions" in ran.output


def test_merging_imports_no_module_that_a_shard_names(tmp_path: Path) -> None:
    run(*CHECKOUT, "--lane", "embedded", "--fuzz-for", "1s", cwd=tmp_path)
    shard = tmp_path / ".statemachine"
    values = json.loads((shard / "run.json").read_text("utf-8"))
    (shard / "run.json").write_text(json.dumps(values | {"binding": "evil:Binding"}), encoding="utf-8")
    write(shard, evil=EVIL)
    ran = command("merge", ".", cwd=shard)
    assert ran.code == MISUSED, ran
    assert "these are runs of the binding 'evil:Binding'; give it by --binding if it is yours" in ran.output
    assert not (shard / "ran").exists()
