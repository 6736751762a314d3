"""A value that cannot be used is refused in one sentence that names it, before anything is played.

Exit code 4 is pytest's for wrong usage; a traceback, or code 3, would mean that we met the value
unprepared.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.end_to_end.conftest import Found
from tests.support.commandline import CHECKOUT, Ran, at_once, run, write

BINDINGS = """
from models_under_test.binding import AIJobsBinding
from statemachine.lifecycle import Lifecycle

class Raises(AIJobsBinding):
    def __init__(self):
        raise RuntimeError("no broker here")

class WantsMore(AIJobsBinding):
    def __init__(self, url):
        pass

class Bare:
    settings_module = "models_under_test.settings"
    tenants = ("t1", "t2")

class OneTenant(AIJobsBinding):
    tenants = ("t1",)

class WaivesUnknown(AIJobsBinding):
    waived = {"every_job_starts": "they do not"}

class WaivesSilently(AIJobsBinding):
    waived = {"every_job_ends": " "}

class WaivesNothing(AIJobsBinding):
    waived = None

class NoLifecycle(AIJobsBinding):
    lifecycle = {}

class OneTenantTwice(AIJobsBinding):
    tenants = ("t1", "t1")

class NoSettings(AIJobsBinding):
    settings_module = "nowhere.settings"

class NoDatabase(AIJobsBinding):
    settings_module = "databaseless"

class Impossible(AIJobsBinding):
    def __init__(self):
        self.lifecycle = Lifecycle(lease_seconds=9999)
"""

MODULES = {
    "bindings": BINDINGS,
    "databaseless": "SECRET_KEY = 'x'",
    "needs": "import a_library_that_is_not_installed",
    "syntax": "def broken(:",
    "raises": "1 / 0",
    "typo": "import os\nos.no_such_name\nclass Binding: ...",
}


class Case(NamedTuple):
    """Options, and what their one sentence must mention."""

    options: tuple[str, ...]
    named: tuple[str, ...]


def binding(path: str, *named: str) -> Case:
    return Case(("--binding", path), (path, *named))


def file(name: str, *named: str) -> Case:
    return Case(("--replay", name), (name, *named))


CASES = {
    "unknown module": binding("nowhere:Binding", "cannot be imported"),
    "module that needs another": binding("needs:Binding", "a_library_that_is_not_installed"),
    "module with a syntax error": binding("syntax:Binding", "SyntaxError"),
    "module that raises": binding("raises:Binding", "ZeroDivisionError"),
    "module with a typo": binding("typo:Binding", "no_such_name"),
    "waivers that are no mapping": binding("bindings:WaivesNothing", "waived", "NoneType"),
    "lifecycle that is none": binding("bindings:NoLifecycle", "lifecycle", "dict"),
    "the same tenant twice": binding("bindings:OneTenantTwice", "tenants", "two different"),
    "missing attribute": binding("bindings:Nobody", "has no Nobody"),
    "path without colon": binding("bindings", "package.module:Factory"),
    "path without factory": binding("bindings:", "package.module:Factory"),
    "factory that raises": binding("bindings:Raises", "RuntimeError: no broker here"),
    "factory that wants arguments": binding("bindings:WantsMore", "url", "without arguments"),
    "factory with an impossible lifecycle": binding("bindings:Impossible", "lease_seconds is 9999"),
    "binding that lacks methods": binding("bindings:Bare", "lacks", "lifecycle", "observe", "reset"),
    "binding with one tenant": binding("bindings:OneTenant", "two different"),
    "unknown waiver": binding("bindings:WaivesUnknown", "every_job_starts", "every_job_ends"),
    "waiver without a reason": binding("bindings:WaivesSilently", "every_job_ends", "reason"),
    "settings that are not there": binding("bindings:NoSettings", "nowhere.settings"),
    "settings without a database": binding("bindings:NoDatabase", "databaseless", "DATABASES"),
    "unknown defect": Case(("--defect", "no_such"), ("no_such", "lease_edge_excluded")),
    "unknown profile": Case(("--hypothesis-profile", "nightly"), ("nightly", "dev, ci")),
    "seed that is no number": Case(("--hypothesis-seed=abc",), ("abc", "number")),
    "missing history": file("nothing_here", "No such file"),
    "empty history": file("empty.ndjson", "leased-job-history"),
    "foreign history": file("foreign.json", "leased-job-history"),
    "binary history": file("binary.ndjson", "not text"),
    "folder without history": file("folder", "history.ndjson"),
    "history of another version": file("version.ndjson", "version 2"),
    "history cut inside a line": file("cut.ndjson", "line 12", "cut off"),
    "history cut between lines": file("short.ndjson", "no failure to reproduce"),
    "history without steps": file("header.ndjson", "no step"),
    "history with a hole": file("hole.ndjson"),
    "history of another lifecycle": file("lifecycle.ndjson", "max_receives"),
    "history with an unknown operation": file("operation.ndjson", "frobnicate"),
    "history with unknown arguments": file("arguments.ndjson", "wurker"),
    "nothing to replay": Case(("--replay=", "--collect-only"), ("--replay",)),
}


def write_histories(directory: Path, good: Path) -> None:
    """Files that are nearly the history ``good``, and some that are nothing like it."""
    text = good.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    last = '"operation": "acknowledge", "arguments": {"worker": '
    assert text.count(last) == 1
    texts = {
        "empty.ndjson": "",
        "foreign.json": '{"name": "not ours", "version": 1}\n',
        "version.ndjson": text.replace('"version": 1', '"version": 2', 1),
        "cut.ndjson": "".join(lines[:11]) + lines[11][:20],
        "short.ndjson": "".join(lines[:-3]),
        "header.ndjson": lines[0],
        "hole.ndjson": lines[0] + "".join(lines[6:]),
        "lifecycle.ndjson": text.replace('"max_receives": 3', '"max_receives": 5', 1),
        "operation.ndjson": text.replace('"operation": "acknowledge"', '"operation": "frobnicate"'),
        "arguments.ndjson": text.replace(last, last.replace("worker", "wurker")),
    }
    for name, content in texts.items():
        (directory / name).write_text(content, encoding="utf-8")
    (directory / "binary.ndjson").write_bytes(b"\xff\xfe\x00\x01")
    (directory / "folder").mkdir()


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def place(runs: dict[str, Found], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write(tmp_path_factory.mktemp("bad_values"), **MODULES)
    write_histories(directory, runs["refused_delivery_deletes_message"].history)
    return directory


@pytest.fixture(scope="module")
def answers(place: Path) -> dict[str, Ran]:
    """Every case, run in the same directory, in which no file may change."""
    before = contents(place)
    ran = at_once(partial(run, *CHECKOUT, *case.options, cwd=place) for case in CASES.values())
    assert contents(place) == before
    assert not (place / ".statemachine").exists()
    return dict(zip(CASES, ran, strict=True))


def sentence(ran: Ran) -> str:
    """What the run says about the value: one line, wherever pytest puts it."""
    said = re.findall(r"^(?:ERROR: |! _pytest\.outcomes\.Exit: )(.*)$", ran.output, re.M)
    assert len(said) == 1, ran
    return str(said[0])


@pytest.mark.parametrize(
    "name",
    CASES,
)
def test_it_is_refused_in_one_sentence_that_names_it(name: str, answers: dict[str, Ran]) -> None:
    ran = answers[name]
    assert ran.code == 4, ran
    assert "Traceback" not in ran.output
    assert "INTERNALERROR" not in ran.output
    assert not re.search(r"^(PASS|FIXED)\b", ran.output, re.M)
    for mentioned in CASES[name].named:
        assert mentioned in sentence(ran), ran


def test_another_lifecycle_is_refused_by_the_field_that_differs(answers: dict[str, Ran]) -> None:
    said = sentence(answers["history of another lifecycle"])
    assert "lease_seconds" not in said
    assert re.search(r"max_receives\D+[35]\D+[35]", said)
