"""``python -m statemachine``: any mistake in a command line ends with one sentence and exit code 4."""

from __future__ import annotations

from pathlib import Path

import pytest

from statemachine.__main__ import COMMANDS, main
from statemachine.report.console import MISUSED
from tests.support.commandline import write

SOUND = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    defects = {}
    minimal = {}
"""

WRONG = {
    "no command": ([], "the following arguments are required: COMMAND"),
    "unknown command": (["certify"], "invalid choice: 'certify'"),
    "unknown defect": (
        ["certificate", "--defects", "nope"],
        "--defects nope: there is no such defect; there",
    ),
    "no range": (["certificate", "--seeds", "9-1"], "argument --seeds: 9-1 is no range of seeds: write"),
    "no seeds": (["certificate", "--seeds", "none"], "--seeds none leaves nothing to measure: give some"),
    "no shard": (["certificate", "--shard", "3/2"], "argument --shard: 3/2 is no shard: write 1/2 for"),
    "no number": (["soak", "--steps", "0"], "argument --steps: 0 is no whole number above 0"),
    "no binding": (["soak", "--binding", "gone:B"], "--binding gone:B: gone cannot be imported"),
    "no such defect": (["soak", "--defect", "nope"], "has no such defect; it has:"),
    "no defects": (
        ["certificate", "--binding", "sound_binding:Binding"],
        "has no defect of the embedded or transactions lane to look for: give it some in defects",
    ),
    "a server for nothing": (["soak", "--database-server", "x"], "--database-server is for --lane trans"),
    "a server of another kind": (
        ["certificate", "--defects", "id_constraint_dropped", "--database-server", "mysql://host/db"],
        "--database-server names a mysql server: write postgresql://",
    ),
    "a file for a folder": (
        ["certificate", "--results", "sound_binding.py"],
        "--results sound_binding.py: File exists; name",
    ),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_a_mistake_ends_with_one_sentence(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(write(tmp_path, sound_binding=SOUND))
    try:
        code = main(arguments)
    except SystemExit as error:
        code = int(error.code or 0)
    printed = capsys.readouterr()
    assert code == MISUSED
    assert words in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


WITHOUT_DATABASE = {"check-log", "clean", "plain-test"}
"""Commands that run beside whatever Django project the environment is set up for."""
DEMANDED = {"merge": ["."]}
"""The arguments that a command cannot do without."""


@pytest.mark.parametrize("command", sorted({command.name for command in COMMANDS} - WITHOUT_DATABASE))
def test_foreign_settings_are_refused(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "theirs.settings")
    assert main([command, *DEMANDED.get(command, [])]) == MISUSED
    assert "names theirs.settings and the binding models_under_test" in capsys.readouterr().err
