"""Every test finds the same surroundings, whatever the run was started with."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import REPO, environment
from tests.support.surroundings import ENDING, UMASK, UNSET

HOSTILE = "trap '' HUP INT TERM; umask 077; exec {command} <&-"
"""As under nohup, in the background of a shell, for a careful user, and with standard input closed."""

VARIABLES = {
    "CI": "true",
    "COLUMNS": "17",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "FORCE_COLOR": "1",
    "LC_ALL": "C",
}


def test_every_test_has_these_surroundings() -> None:
    assert [signal.getsignal(number) for number in ENDING].count(signal.SIG_IGN) == 0
    assert Path.cwd() == REPO
    assert set(UNSET).isdisjoint(os.environ)
    before = os.umask(UMASK)
    assert before == UMASK
    os.fstat(0)


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("options", [(), ("-n", "1"), ("-s",)], ids=["one process", "a worker", "uncaptured"])
def test_they_do_not_depend_on_how_the_run_was_started(options: tuple[str, ...], tmp_path: Path) -> None:
    if "-n" in options:
        pytest.importorskip("xdist", reason="pytest-xdist (the extra fuzz) is not installed")
    test = f"{__file__}::{test_every_test_has_these_surroundings.__name__}"
    command = shlex.join([sys.executable, "-m", "pytest", test, *options])
    ran = subprocess.run(
        ["sh", "-c", HOSTILE.format(command=command)],
        cwd=tmp_path,
        env=environment(VARIABLES),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
