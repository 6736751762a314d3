"""The README's commands are the ones that CI runs, and what it says of options and defects is so."""

from __future__ import annotations

import re
from pathlib import Path

from models_under_test.defects import STORIES
from statemachine.invariants import ALL
from statemachine.search.engine import PROFILES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(language: str) -> list[str]:
    return [
        line for block in re.findall(rf"```{language}\n(.*?)```", README, re.S) for line in block.splitlines()
    ]


def test_ci_runs_the_second_command() -> None:
    test_command = commands("bash")[1]
    assert test_command.endswith("/pytest")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    # With options that change how it is run, and not what.
    assert [line for line in lines if line.startswith(f"{test_command} -n 2 ")]


def test_both_shells_are_told_the_same() -> None:
    def words(command: str) -> set[str]:
        return set(re.findall(r"pytest(?: statemachine/)?$|install -e [^\s;]+", command))

    told = [[words(command) for command in commands(shell)[:2]] for shell in ("bash", "powershell")]
    assert told[0] == told[1]


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_what_is_named_exists() -> None:
    assert set(re.findall(r"--defect (\w+)", README)) <= {*STORIES, "NAME"}
    claims = {claim.name for claim in ALL}
    section = README.partition("## What is judged")[2].partition("## Options")[0]
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", section)) <= claims
    assert f"{PROFILES['dev']:,} examples" in README
    assert f"{PROFILES['ci']:,} examples" in README
