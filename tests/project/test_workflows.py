"""The workflows, and those that the docs offer to copy, are checked, and the check can fail.

Skipped where ``npm ci --prefix .ci`` was not run or shellcheck is missing; ``.ci/run`` sees to both.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.commandline import REPO

CHECK = REPO / ".ci" / "check_workflows.py"
WORKFLOWS = sorted((REPO / ".github" / "workflows").glob("*.yml"))

needs_linters = pytest.mark.skipif(
    not (REPO / ".ci" / "node_modules").exists()
    or not shutil.which("node")
    or not shutil.which("shellcheck"),
    reason="needs Node.js, shellcheck, and npm ci --prefix .ci",
)

SOUND = """
on: push
jobs:
  tests:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.sha }}" && ls "$HOME"
"""

PAGE = f"# A page\n\n```yaml\n{SOUND.strip()}\n```\n"

BROKEN = {
    "property": ("github.sha", "github.shaa", 'property "shaa" is not defined'),
    "event": ("on: push", "on: pushed", 'unknown Webhook event "pushed"'),
    "input": ("@v4", "@v4\n        with: {depth: 1}", 'input "depth" is not defined'),
    "yaml": ("jobs:", "jobs: [", "could not parse as YAML"),
    "quotes": ('"$HOME"', "$HOME", "[SC2086]"),
    "directory": ("echo", "cd /here; echo", "[SC2164]"),
}
"""Name of a flaw → what stands in a sound workflow, what in its place, and what must be said of it."""


def check(*files: Path, path: str | None = None) -> tuple[int, str]:
    """Exit code and output; ``path`` is where programs are looked for."""
    environment = os.environ if path is None else {**os.environ, "PATH": path}
    command = [sys.executable, str(CHECK), *map(str, files)]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def flaws(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of all that is broken: at once, since actionlint takes two seconds to start."""
    folder = tmp_path_factory.mktemp("flaws")
    for name, (old, new, _) in BROKEN.items():
        assert SOUND.count(old) == 1
        (folder / f"{name}.yml").write_text(SOUND.replace(old, new), encoding="utf-8")
    page = PAGE.replace("github.sha", "github.shaa")
    (folder / "page.md").write_text(page, encoding="utf-8")
    code, said = check(*folder.iterdir())
    assert code == 1, said
    return said


@needs_linters
def test_the_workflows_and_those_of_the_docs_are_sound() -> None:
    code, said = check()
    assert code == 0, said
    assert said == "3 workflows checked: fuzz, tests, ci-1\n"


@needs_linters
@pytest.mark.parametrize("name", BROKEN)
def test_a_flaw_is_reported(name: str, flaws: str) -> None:
    told = [line for line in flaws.splitlines() if line.startswith((f"{name}.yml:", f"{name}, "))]
    assert len(told) == 1, flaws
    assert BROKEN[name][2] in told[0]


@needs_linters
def test_a_flaw_in_a_document_is_reported_with_its_line(flaws: str) -> None:
    assert re.findall(r"^page-\d.yml:\d+:", flaws, re.M) == ["page-1.yml:10:"]


@needs_linters
def test_without_the_flaw_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "sound.yml").write_text(SOUND, encoding="utf-8")
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    files = (tmp_path / "sound.yml", tmp_path / "page.md")
    assert check(*files) == (0, "2 workflows checked: sound, page-1\n")


@needs_linters
def test_a_file_without_a_workflow_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# Nothing\n\n```yaml\na: 1\n```\n", encoding="utf-8")
    code, said = check(tmp_path / "page.md")
    assert (code, said.count("\n")) == (2, 1)
    assert said.endswith("page.md holds no workflow\n")


def test_what_is_missing_is_said_in_a_line(tmp_path: Path) -> None:
    said = (
        "workflows not checked: node and shellcheck not found; install Node.js 20 or newer and shellcheck\n"
    )
    assert check(path=str(tmp_path)) == (2, said)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_only_read_and_ends_in_time(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []
