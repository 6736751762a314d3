"""A run that finds nothing says what it ran on and what it tried, and promises no more than that."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from models_under_test.binding import AIJobsBinding
from statemachine.invariants import ALL
from statemachine.lifecycle import Operation
from tests.support.commandline import SHORT, SHORT_CONFTEST, STRANGER, Ran, at_once, run, write

FIGURES = re.compile(r"^([\d ]+) examples, ([\d ]+) steps in (\d+) s \(([\d ]+) steps/s\); seed \d+$")


def figures(ran: Ran) -> tuple[int, int]:
    """How many examples and steps the run says it played."""
    found = [match for line in ran.summary if (match := FIGURES.match(line))]
    assert len(found) == 1, ran
    examples, steps = (int(found[0][group].replace(" ", "")) for group in (1, 2))
    return examples, steps


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    cwd = write(tmp_path_factory.mktemp("clean"), conftest=SHORT_CONFTEST)
    return run(*STRANGER, *SHORT, "--hypothesis-seed=1", cwd=cwd), cwd


def test_it_passes_and_says_that_its_reach_was_not_judged(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    assert ran.code == 0, ran
    assert ran.verdict.startswith("PASS (reach not judged)"), ran


def test_the_header_names_binding_database_lifecycle_profile_and_seed(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    header = ran.output.partition("collected")[0]
    assert "statemachine: models_under_test.binding:AIJobsBinding\n" in header
    assert re.search(r"^database: .*SQLite.*memory", header, re.M)
    assert re.search(r"^certificate: ", header, re.M)
    assert re.search(r"^lifecycle: .*3540 s.*3600 s.*3 receives", header, re.M)
    assert re.search(r"^profile short: 30 examples of 30 steps; seed 1\b", header, re.M)


def test_every_operation_is_listed_with_its_situations(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    summary = "\n".join(ran.summary)
    for operation in Operation:
        listed = re.search(rf"^  {operation}: .* \d+", summary, re.M) is not None
        assert listed is AIJobsBinding.lifecycle.has(operation), operation


def test_every_invariant_is_listed_with_how_often_it_was_judged(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    listed = dict(re.findall(r"([a-z_]{8,}) ([\d ]+\d|\d)(?= ·|$)", "\n".join(ran.summary), re.M))
    assert {claim.name for claim in ALL} <= set(listed)
    assert int(listed["a_job_is_created_once"].replace(" ", "")) > 0


def test_examples_steps_and_speed_are_counted(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    examples, steps = figures(ran)
    # Hypothesis counts some of its examples as invalid and plays others in their place.
    assert 30 <= examples <= 40
    # An example is 30 steps at most, and a drain that needs about 15 and at most 60.
    assert examples < steps < examples * (30 + 60)


def test_it_says_what_it_cannot_show(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    assert "SQLite ignores select_for_update" in ran.output
    assert "does not prove" in ran.output


def test_no_line_of_the_summary_is_wider_than_100_columns(clean: tuple[Ran, Path]) -> None:
    ran, _ = clean
    assert [line for line in ran.summary if len(line) > 100] == []


def test_it_leaves_its_figures_and_no_failure(clean: tuple[Ran, Path]) -> None:
    _, cwd = clean
    assert {path.name for path in cwd.iterdir()} <= {"conftest.py", ".hypothesis", ".statemachine"}
    assert [path.name for path in (cwd / ".statemachine").glob("[!.]*")] == ["run.json"]


def test_ci_changes_neither_the_profile_nor_what_the_seed_plays(clean: tuple[Ran, Path], short: Path) -> None:
    ran, _ = clean
    in_ci = run(*STRANGER, *SHORT, "--hypothesis-seed=1", cwd=short, env={"CI": "1"})
    assert in_ci.code == 0, in_ci
    assert figures(in_ci) == figures(ran)


def test_ci_takes_the_same_profile_and_a_new_seed_each_time(tmp_path: Path) -> None:
    seeds = set()
    ci = {"CI": "true", "GITHUB_ACTIONS": "true"}
    for ran in at_once([partial(run, *STRANGER, "--collect-only", cwd=tmp_path, env=ci)] * 2):
        header = re.search(r"^profile (\w+): .* seed (\d+)", ran.output, re.M)
        assert header, ran
        assert header[1] == "dev"
        seeds.add(header[2])
    # Drawn from 2**32: they agree once in 4.3e9 runs of this test.
    assert len(seeds) == 2


def test_the_seed_in_the_header_repeats_the_run(short: Path) -> None:
    tiny = (*STRANGER, "--hypothesis-profile", "tiny")
    first = run(*tiny, cwd=short)
    again = re.search(r"again with (--hypothesis-seed=\d+)", first.output)
    assert again, first
    # The steps of five examples, drains included, vary by tens from one seed to the next.
    assert figures(run(*tiny, again[1], cwd=short)) == figures(first)


def test_a_run_that_was_narrowed_to_nothing_does_not_pass(tmp_path: Path) -> None:
    ran = run(*STRANGER, "-k", "nothing_of_this_name", cwd=tmp_path)
    assert ran.code == 5, ran
    assert "PASS" not in ran.output
