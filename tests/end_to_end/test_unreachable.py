"""A binding that calls a situation unreachable which every run meets: each way of playing says so.

In long runs only what is said truly helps, and that takes minutes: examples/django_q2 shows it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from statemachine.report.console import BROKEN
from tests.support.commandline import SHORT_CONFTEST, STRANGER, Ran, at_once, command, run, write
from tests.support.pages import Parsed

THEIRS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    unreachable = {"create: new id": "jobs are imported"}
"""
TOLD = (
    "unreachable: create: new id (jobs are imported)",
    "; the reason given for it is false: take it out of the binding's unreachable",
)


@pytest.fixture(scope="module")
def cwd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("unreachable"), conftest=SHORT_CONFTEST, theirs=THEIRS)


@pytest.fixture(scope="module")
def ways(cwd: Path) -> dict[str, Ran]:
    theirs = ("--binding", "theirs:Binding")
    tiny = (*STRANGER, *theirs, "--hypothesis-profile", "tiny", "--hypothesis-seed=1")
    plain, soaked = at_once(
        [
            partial(run, *tiny, "--report", "page.html", cwd=cwd),
            partial(command, "soak", *theirs, "--steps", "600", "--jobs", "1", cwd=cwd),
        ]
    )
    return {"plain": plain, "soak": soaked, "merge": command("merge", ".statemachine", *theirs, cwd=cwd)}


@pytest.mark.parametrize("way", ["plain", "soak", "merge"])
def test_a_false_reason_makes_the_verdict_unknown_and_is_named(way: str, ways: dict[str, Ran]) -> None:
    ran = ways[way]
    assert ran.code == BROKEN, ran
    output = " ".join(ran.output.split())
    assert [words for words in TOLD if words not in output] == [], ran
    assert "? situation said to be unreachable was met " in output
    assert "UNKNOWN nothing was broken, but the run cannot vouch for it" in output


def test_the_page_says_it_too(cwd: Path, ways: dict[str, Ran]) -> None:
    page = Parsed((cwd / "page.html").read_text("ascii"))
    assert [words for words in TOLD if words not in page.text] == [], ways["plain"]
