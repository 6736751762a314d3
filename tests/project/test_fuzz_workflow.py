"""The shell steps of the nightly workflow, run in order as GitHub would, with folders for artifacts."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.support.commandline import REPO, Ran, environment, run, write

WORKFLOW = yaml.safe_load((REPO / ".github" / "workflows" / "fuzz.yml").read_text(encoding="utf-8"))
SHARDS = WORKFLOW["jobs"]["shard"]["strategy"]["matrix"]["shard"]

# Breaks a claim at the first lease that is taken, so in nearly every example.
BROKEN = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def __init__(self):
        super().__init__()
        self.plant("lease_as_long_as_visibility")
"""

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("nproc") is None, reason="the steps are written for Linux"
)


def step(job: str, name: str, cwd: Path, **variables: str) -> Ran:
    """Run one step as the runner does: ``bash -e`` on a file of it, with the variables of the workflow."""
    script = next(step["run"] for step in WORKFLOW["jobs"][job]["steps"] if step.get("name") == name)
    file = cwd.parent / f"{cwd.name}-{job}.sh"
    file.write_text(script, encoding="utf-8")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-e", str(file)],
        cwd=cwd,
        env=environment({"PATH": programs, "BINDING": "broken:Binding", **variables}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return Ran((job, name), done.returncode, done.stdout)


class Night(NamedTuple):
    """A night in which the second shard searched and found something, and the others died without a trace."""

    search: Ran
    merge: Ran
    summary: str
    artifact: Path


@pytest.fixture(scope="module")
def night(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    pytest.importorskip("xdist")
    place = tmp_path_factory.mktemp("night")
    shard, report = (shutil.copytree(checkout, place / name) for name in ("shard", "report"))
    for machine in (shard, report):
        shutil.rmtree(machine / ".statemachine", ignore_errors=True)
        write(machine, broken=BROKEN)
    search = step("shard", "Search", shard, DURATION="10s", FIRST="", RUN="7", SHARD="2")
    shutil.copytree(shard / ".statemachine", report / "shards" / "shard-2")
    summary = place / "summary.md"
    merge = step("report", "Add up the shards", report, GITHUB_STEP_SUMMARY=str(summary))
    step("report", "Say how to replay", report, GITHUB_RUN_NUMBER="7", GITHUB_SHA="0123abc")
    return Night(search, merge, summary.read_text(encoding="utf-8"), report / ".statemachine")


def test_a_shard_has_seeds_that_no_other_night_has(night: Night) -> None:
    assert "seeds from 29000000 on" in night.search.output, night.search


def test_a_shard_and_the_report_are_red(night: Night) -> None:
    assert (night.search.code, night.merge.code) == (1, 1), night
    assert "FAIL  a_lease_lasts_its_declared_length" in night.merge.lines


def test_the_summary_names_the_failure_and_the_shards_that_died(night: Night) -> None:
    assert "`a_lease_lasts_its_declared_length`" in night.summary
    told = [number for number in SHARDS if f"shard-{number} left no run.json" in night.summary]
    assert told == [number for number in SHARDS if number != 2]


def test_the_artifact_says_how_it_is_replayed(night: Night, checkout: Path, tmp_path: Path) -> None:
    laptop = shutil.copytree(checkout, tmp_path / "laptop")
    write(laptop, broken=BROKEN)
    shutil.copytree(night.artifact, laptop / "failures")
    commands = [
        shlex.split(line)
        for line in (laptop / "failures" / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("    pytest ")
    ]
    replays = [command for command in commands if any(word.startswith("--replay=") for word in command)]
    assert len(replays) == len(list(laptop.glob("failures/*/history.ndjson"))) > 0
    for command in replays:
        again = run(*command[1:], cwd=laptop)
        assert (again.code, again.summary[-1][:10]) == (1, "REPRODUCED"), again


def test_a_seed_that_is_no_number_is_refused(checkout: Path) -> None:
    ran = step("shard", "Search", checkout, DURATION="10s", FIRST="today", RUN="7", SHARD="1")
    assert (ran.code, ran.output) == (4, "::error::seed today: give a whole number\n")


def test_every_shard_is_added_up() -> None:
    scripts = [step.get("run", "") for step in WORKFLOW["jobs"]["report"]["steps"]]
    named = "shards/shard-{" + ",".join(map(str, SHARDS)) + "}"
    assert sum(script.count(named) for script in scripts) == 2
