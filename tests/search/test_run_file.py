"""A run as a file: what is written is read back, and what cannot be read is named."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statemachine.invariants import Crashed
from statemachine.lifecycle import Answer, Lifecycle, Operation
from statemachine.search import run_file as runfile
from statemachine.search.run_file import RunFile, RunFileError
from statemachine.search.tally import Part, Tally

TALLY = Tally(
    7,
    300,
    12.5,
    Counter({"create: new id": 3}),
    Counter({"every_job_ends": 5}),
    [Crashed("claim", "why", "event")],
    ["the search with seed 6: its process ended"],
    {Part.CORPUS: 0.5, Part.SEARCH: 11.0},
)
RUN = RunFile(
    binding="theirs:Binding",
    lifecycle=Lifecycle(offers=frozenset({Operation.RENEW}), late_completion=Answer.REFUSED),
    defect="planted",
    seed=5,
    processes=2,
    tally=TALLY,
    failures=1,
    finished=False,
    notes=("a note",),
)


def written(path: Path, **changes: Any) -> Path:
    file = path / runfile.NAME
    file.write_text(json.dumps(RUN.to_json() | changes), encoding="utf-8")
    return file


@pytest.mark.parametrize("run", [RUN, replace(RUN, defect=None, tally=Tally(), notes=(), finished=True)])
def test_what_is_written_is_read_back(run: RunFile, tmp_path: Path) -> None:
    file = tmp_path / runfile.NAME
    file.write_text(runfile.dumps(run), encoding="utf-8")
    assert runfile.read(file) == run


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "another"}, "is not the file of a run"),
        ({"version": 2}, "is of version 2 and this statemachine reads version 1"),
        ({"examples": "many"}, "is broken"),
        ({"met": 3}, "is broken"),
        ({"crashed": [["too", "few"]]}, "is broken"),
        ({"lifecycle": {}}, "is broken"),
        ({"version": True}, "is of version True and"),
        ({"version": "1"}, "is of version '1' and"),
        ({"examples": "7"}, "examples is '7', and must be a whole number"),
        ({"examples": True}, "examples is True, and must be a whole number"),
        ({"examples": -1}, "examples is -1, and must be 0 or more"),
        ({"seconds": float("nan")}, "is not the file of a run"),
        ({"binding": 7}, "binding is 7, and must be text"),
        ({"defect": []}, r"defect is \[\], and must be text or null"),
        ({"finished": "no"}, "finished is 'no', and must be true or false"),
        ({"met": {"create": 1.5}}, "create is 1.5, and must be a whole number"),
        ({"notes": "a note"}, "notes is 'a note', and must be a list"),
        ({"lost": [7]}, r"lost is \[7\], and must be a list, each of it text"),
        ({"lifecycle": []}, r"lifecycle is \[\], and must be an object"),
    ],
)
def test_what_cannot_be_read_is_named(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    file = written(tmp_path, **changes)
    with pytest.raises(RunFileError, match=words) as raised:
        runfile.read(file)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "leased-job-run"'])
def test_what_is_no_run_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / runfile.NAME).write_text(text, encoding="utf-8")
    with pytest.raises(RunFileError, match="is not the file of a run"):
        runfile.read(tmp_path / runfile.NAME)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="cannot be read"):
        runfile.read(tmp_path / "gone.json")
