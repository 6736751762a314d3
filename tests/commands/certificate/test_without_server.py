"""Without a PostgreSQL the defects of that lane are listed, with what to do to get one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.commandline import REPO, environment
from tests.world.databases.test_binaries import WAY

RUN = """
import sys
from statemachine.__main__ import main
from statemachine.world.databases import binaries

binaries.find.__defaults__ = (
    [lambda: binaries.installed("", ["/nowhere/*"]), lambda: binaries.carried(["no_such_package"])],
)
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""
MISSING = f"the transactions lane needs a PostgreSQL: {WAY}"
BOTH = ("--defects", "lease_as_long_as_visibility", "id_constraint_dropped")
SMALL = ("--seeds", "0", "--baseline-seeds", "none", "--examples", "60", "--jobs", "1")


def ran(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process that finds no server's programs anywhere."""
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=cwd,
        env=environment({"PYTHONPATH": str(REPO)}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_its_defects_are_listed_and_the_others_are_hunted(tmp_path: Path) -> None:
    done = ran(tmp_path, "certificate", *BOTH, *SMALL, "--write", "mine.md")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        f"The defects of the transactions lane are not searched for: {MISSING}",
        "1 of 1 searches to do, 1 at a time",
    ]
    assert lines[-1] == "1 of 1 defects found on every seed"
    page = " ".join((tmp_path / "mine.md").read_text("utf-8").split())
    assert f"Listed and not played here, since {MISSING}: - `id_constraint_dropped` (transactions" in page


def test_nothing_else_to_hunt_is_a_mistake(tmp_path: Path) -> None:
    done = ran(tmp_path, "certificate", "--defects", "id_constraint_dropped", *SMALL)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"python -m statemachine certificate: {MISSING}\n"


def test_a_soak_of_that_lane_is_a_mistake(tmp_path: Path) -> None:
    done = ran(tmp_path, "soak", "--lane", "transactions", "--steps", "10")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"python -m statemachine soak: --lane transactions: {MISSING}\n"
