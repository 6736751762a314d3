"""Pytest's own options change what is shown of a failing run, and never whether it fails."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from xml.etree import ElementTree

import pytest

from tests.support.commandline import CHECKOUT, Ran, at_once, run

FAILING = ("--defect", "refused_delivery_deletes_message", "--hypothesis-seed=1")
INVARIANT = "messages_outlive_unfinished_jobs"

OPTIONS = {
    "-q": ("-q", "--junitxml=junit.xml"),
    "-v": ("-v", "--color=yes"),
    "--tb=no": ("--tb=no",),
    "--no-summary": ("--no-summary",),
    "-x": ("-x", "-W", "error", "--no-header"),
    "-s": ("-s", "-vv", "--durations=3"),
    "-p no:terminal": ("-p", "no:terminal"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    cwd = tmp_path_factory.mktemp("options")

    def failing(name: str) -> tuple[str, ...]:
        # What one of them finds, the others must not find first.
        return *CHECKOUT, *FAILING, "--corpus", f"corpus {name}"

    asked = {name: partial(run, *failing(name), *options, cwd=cwd) for name, options in OPTIONS.items()}
    for encoding in ("ascii", "cp1252"):
        narrow = {"PYTHONUTF8": "0", "PYTHONIOENCODING": encoding, "COLUMNS": "80", "NO_COLOR": "1"}
        asked[encoding] = partial(run, *failing(encoding), cwd=cwd, env=narrow)
    asked["CI"] = partial(run, *failing("CI"), cwd=cwd, env={"CI": "true"})
    found = dict(zip(asked, at_once(asked.values()), strict=True))
    coloured = found["-v"].output
    assert "\x1b[" in coloured
    return found | {"-v": replace(found["-v"], output=re.sub(r"\x1b\[[\d;]*m", "", coloured))}


@pytest.mark.parametrize("name", [*OPTIONS, "ascii", "cp1252", "CI"])
def test_the_run_fails_and_nothing_crashes(name: str, answers: dict[str, Ran]) -> None:
    ran = answers[name]
    assert ran.code == 1, ran
    assert "INTERNALERROR" not in ran.output
    assert "Traceback" not in ran.output


@pytest.mark.parametrize("name", ["-q", "-v", "-x", "-s", "ascii", "cp1252", "CI"])
def test_report_and_summary_are_shown(name: str, answers: dict[str, Ran]) -> None:
    assert answers[name].report[0] == f"FAIL  {INVARIANT}"
    assert answers[name].verdict.startswith(f"FAIL  {INVARIANT}: ")


@pytest.mark.parametrize("name", ["-q", "-v", "-x", "-s", "CI"])
def test_the_report_is_not_printed_twice(name: str, answers: dict[str, Ran]) -> None:
    assert answers[name].output.count("  Reproduce\n") == 1
    assert answers[name].output.count("row after the step") == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_unicode_gets_the_same_in_ascii(encoding: str, answers: dict[str, Ran]) -> None:
    ran = answers[encoding]
    assert ran.output.isascii()
    assert "\\u" not in ran.output
    assert any(re.match(r"  x +\d", line) for line in ran.report), ran
    assert any(re.search(r"deliver m\d+ -> A", line) for line in ran.report), ran


def test_a_narrow_terminal_gets_lines_of_80_columns(answers: dict[str, Ran]) -> None:
    ran = answers["ascii"]
    # A command that is broken into lines cannot be pasted into every shell.
    wide = [line for line in (*ran.report, *ran.summary) if len(line) > 80]
    assert [line for line in wide if not line.startswith("    pytest ")] == []


@pytest.mark.parametrize("name", ["--tb=no", "--no-summary"])
def test_where_the_report_is_not_shown_the_end_says_how_to_see_it(name: str, answers: dict[str, Ran]) -> None:
    ran = answers[name]
    assert f"FAIL  {INVARIANT}" in ran.verdict
    assert "row after the step" not in ran.output
    place = ran.summary.index("  Reproduce")
    assert re.match(r"    pytest .* --replay=\.statemachine/\w+$", ran.summary[place + 1])


def test_the_xml_has_the_report_once_a_headline_and_the_figures(
    answers: dict[str, Ran], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = tmp_path_factory.getbasetemp().glob("options*/junit.xml")
    (case,) = ElementTree.parse(next(written)).iter("testcase")
    (failure,) = case.iter("failure")
    told = answers["-q"].report
    assert (failure.text or "").splitlines()[: len(told)] == told
    assert failure.attrib["message"] == answers["-q"].verdict
    properties = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
    assert properties["statemachine verdict"] == "FAIL"
    assert properties["statemachine broken claim"] == INVARIANT
    assert properties["statemachine seed"] == "1"
    assert int(properties["statemachine steps"]) > 0


def test_without_tracebacks_the_summary_still_says_that_it_failed(answers: dict[str, Ran]) -> None:
    assert answers["--tb=no"].verdict.startswith("FAIL")


def test_without_tracebacks_the_claim_is_named_or_the_report_shown(answers: dict[str, Ran]) -> None:
    ran = answers["--tb=no"]
    assert f"FAIL  {INVARIANT}" in ran.output or "above" not in ran.summary[-1]


def test_durations_are_those_of_a_real_clock(answers: dict[str, Ran]) -> None:
    seconds = re.findall(r"^([\d.]+)s (?:setup|call|teardown)", answers["-s"].output, re.M)
    assert seconds
    assert max(map(float, seconds)) < 600
