"""Pytest's own options change what is shown of a failing run, and never whether it fails."""

from __future__ import annotations

import re
from functools import partial

import pytest

from tests.end_to_end.commandline import CHECKOUT, Ran, at_once, run

FAILING = ("--defect", "refused_delivery_deletes_message", "--hypothesis-seed=1")
INVARIANT = "messages_outlive_unfinished_jobs"

OPTIONS = {
    "-q": ("-q",),
    "--tb=no": ("--tb=no",),
    "-x": ("-x", "-W", "error", "--no-header"),
    "-s": ("-s", "-vv", "--durations=3"),
    "-p no:terminal": ("-p", "no:terminal"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    cwd = tmp_path_factory.mktemp("options")
    asked = {name: partial(run, *CHECKOUT, *FAILING, *options, cwd=cwd) for name, options in OPTIONS.items()}
    latin = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    asked["ASCII"] = partial(run, *CHECKOUT, *FAILING, cwd=cwd, env=latin)
    return dict(zip(asked, at_once(asked.values()), strict=True))


@pytest.mark.parametrize("name", [*OPTIONS, "ASCII"])
def test_the_run_fails_and_nothing_crashes(name: str, answers: dict[str, Ran]) -> None:
    ran = answers[name]
    assert ran.code == 1, ran
    assert "INTERNALERROR" not in ran.output
    assert "Traceback" not in ran.output


@pytest.mark.parametrize("name", ["-q", "-x", "-s"])
def test_report_and_summary_are_shown(name: str, answers: dict[str, Ran]) -> None:
    assert answers[name].report[0] == f"FAIL  {INVARIANT}"
    assert answers[name].summary[-1].startswith("FAIL")


def test_a_terminal_without_unicode_still_gets_the_report(answers: dict[str, Ran]) -> None:
    assert f"FAIL  {INVARIANT}" in answers["ASCII"].output
    assert "Reproduce" in answers["ASCII"].output


def test_without_tracebacks_the_summary_still_says_that_it_failed(answers: dict[str, Ran]) -> None:
    assert answers["--tb=no"].summary[-1].startswith("FAIL")


def test_without_tracebacks_the_claim_is_named_or_the_report_shown(answers: dict[str, Ran]) -> None:
    ran = answers["--tb=no"]
    assert f"FAIL  {INVARIANT}" in ran.output or "above" not in ran.summary[-1]


def test_durations_are_those_of_a_real_clock(answers: dict[str, Ran]) -> None:
    seconds = re.findall(r"^([\d.]+)s (?:setup|call|teardown)", answers["-s"].output, re.M)
    assert seconds
    assert max(map(float, seconds)) < 600
