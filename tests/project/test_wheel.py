"""The installed wheel, in an environment of its own, on another project: ``examples/mapmill``.

Elsewhere the checkout is installed in editable form, which would hide a file that the wheel lacks and a
requirement that only ``[dev]`` names.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

from tests.support.commandline import REPO, STRANGER, Ran, environment, run, write

PACKAGES = ("statemachine", "models_under_test")
EXAMPLE = REPO / "examples" / "mapmill"
README = (REPO / "examples" / "README.md").read_text(encoding="utf-8")
VERIFY = (*STRANGER, "--binding", "mapmill.binding:Binding")

# The bug is found within 21 examples on each of the seeds 1 to 20.
CONFTEST = """
from hypothesis import settings
settings.register_profile("mended", max_examples=100, stateful_step_count=50)
"""

_LITTER = shutil.ignore_patterns(
    *(".*", "__pycache__", "*.egg-info", "build", "dist", "db.sqlite3", "node_modules")
)


class Installed(NamedTuple):
    """A wheel of this checkout, and a Python that has it and what it requires, and nothing more."""

    wheel: Path
    python: Path

    def pytest(self, *arguments: str, cwd: Path) -> Ran:
        return run(*arguments, cwd=cwd, script=True, python=self.python)


def _install(*command: str, cwd: Path) -> None:
    """Run a command that may ask the package index, with this machine's settings for pip."""
    pip = {name: value for name, value in os.environ.items() if re.match(r"PIP_|https?_proxy$", name, re.I)}
    done = subprocess.run(
        command, cwd=cwd, env=environment(pip), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("wheel")
    # setuptools leaves build/ behind, and packs what it finds there the next time.
    shutil.copytree(REPO, place / "checkout", ignore=_LITTER)
    _install(sys.executable, "-m", "venv", "venv", cwd=place)
    binaries = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / Path(sys.executable).name
    pip = (str(python), "-m", "pip", "--quiet")
    _install(*pip, "wheel", "--no-deps", "--wheel-dir", ".", "./checkout", cwd=place)
    (wheel,) = place.glob("*.whl")
    _install(*pip, "install", wheel.name, cwd=place)
    return Installed(wheel, python)


class Found(NamedTuple):
    """The example as it is handed out, and the run that found its bug."""

    project: Path
    ran: Ran


@pytest.fixture(scope="module")
def found(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Found:
    project = tmp_path_factory.mktemp("theirs") / "mapmill"
    shutil.copytree(EXAMPLE, project, ignore=_LITTER)
    return Found(project, installed.pytest(*VERIFY, "--hypothesis-seed=1", cwd=project))


@pytest.fixture(scope="module")
def mended(found: Found) -> Path:
    """The project with the patch of the README, and what the run on it had saved before."""
    project = found.project.with_name("mended")
    shutil.copytree(found.project, project)
    subprocess.run(["git", "apply", "heartbeat.patch"], cwd=project, check=True, timeout=60)
    return write(project, conftest=CONFTEST)


def test_the_wheel_holds_the_packages_and_nothing_else(installed: Installed) -> None:
    checkout = installed.wheel.parent / "checkout"
    files = [file for package in PACKAGES for file in (checkout / package).rglob("*") if file.is_file()]
    ours = {file.relative_to(checkout).as_posix() for file in files if "__pycache__" not in file.parts}
    assert {Path(name).suffix for name in ours} >= {".py", ".css", ".json", ".toml"}
    with ZipFile(installed.wheel) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == ours


def test_what_runs_is_the_wheel(installed: Installed, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed.python, "-c", "import statemachine, models_under_test as m; print(statemachine, m)"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert where.stdout.count("site-packages") == 2, where.stdout


def test_their_own_tests_miss_the_bug(installed: Installed, found: Found) -> None:
    tests = subprocess.run(
        [installed.python, "manage.py", "test"],
        cwd=found.project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert tests.returncode == 0, tests.stderr
    assert re.search(r"Ran [1-9]\d* tests", tests.stderr)


def test_the_bug_is_found(found: Found) -> None:
    assert found.ran.code == 1, found.ran
    assert found.ran.report[0] == "FAIL  a_lease_lasts_its_declared_length"
    kept = {file.name for file in (found.project / found.ran.folder).iterdir()}
    assert kept == {"history.ndjson", "test_regression.py", "timeline.html"}


def test_the_readme_shows_the_report_as_it_is_printed(found: Found) -> None:
    """All of it but where it is saved and how long that took."""
    report = found.ran.report
    shown = re.search(r"```text\n(FAIL .*?)```", README, re.S)
    assert shown
    told = [line.rstrip() for line in report[: report.index("  Reproduce")]]
    assert shown[1].splitlines()[: len(told)] == told


def test_the_failure_is_replayed(installed: Installed, found: Found) -> None:
    again = installed.pytest(*found.ran.reproduce, cwd=found.project)
    assert again.code == 1, again
    assert again.summary[-1].startswith("REPRODUCED")


def test_the_plain_test_fails_until_the_mend(installed: Installed, found: Found, mended: Path) -> None:
    test = ("-p", "statemachine.plugin", *VERIFY[-2:], f"{found.ran.folder}/test_regression.py")
    assert installed.pytest(*test, cwd=found.project).code == 1
    passed = installed.pytest(*test, cwd=mended)
    assert passed.code == 0, passed


def test_the_mend_is_seen_by_a_replay(installed: Installed, found: Found, mended: Path) -> None:
    again = installed.pytest(*found.ran.reproduce, cwd=mended)
    assert again.code == 0, again
    assert again.summary[-1].startswith("FIXED")


def test_the_mended_project_is_clean(installed: Installed, mended: Path) -> None:
    ran = installed.pytest(*VERIFY, "--hypothesis-profile=mended", "--hypothesis-seed=1", cwd=mended)
    assert ran.code == 0, ran
    assert ran.summary[-1].startswith("PASS (reach not judged)")
    # Judged, and not only played: each heartbeat is held to its table and to its lease.
    met = " ".join(ran.summary)
    assert re.search(r"renew: [^:]*RUNNING, lease live [1-9]", met), ran
    assert re.search(r"a_lease_lasts_its_declared_length [1-9]", met), ran
