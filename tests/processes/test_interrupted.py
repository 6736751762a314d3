"""A run that is broken off leaves nothing behind: no worker, no server, no file, no database.

Nor does one whose workers cannot be started, and the error comes at once.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from tests.support.commandline import command, environment, write
from tests.support.waiting import until

THEIRS = """
import sys
from models_under_test.binding import AIJobsBinding
from models_under_test.fleets import PipelineFleet

class NotThere(PipelineFleet):
    def command(self, worker):
        return ("no-such-worker", "--queue", self.name)

class Crashing(PipelineFleet):
    def command(self, worker):
        return (sys.executable, "-S", "-c", "import sys; sys.exit('MODEL_PATH is not set')")

class Missing(AIJobsBinding):
    def fleets(self, stage):
        return [PipelineFleet(self, stage), NotThere(self, stage)]

class Crash(AIJobsBinding):
    def fleets(self, stage):
        return [Crashing(self, stage)]
"""
"""``Missing`` has a good fleet as well, whose workers must not be left behind."""

LONG = ("--jobs", "50", "--kills", "50", "--seed", "3")


def processes_of(place: Path) -> list[str]:
    """The command lines of all processes that were started, by whomever, with this TMPDIR."""
    mark = f"TMPDIR={place}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def nothing_left(place: Path) -> None:
    until(lambda: not processes_of(place))
    assert list(place.iterdir()) == []


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory for temporary files."""
    (tmp_path / "tmp").mkdir()
    write(tmp_path, theirs=THEIRS)
    return tmp_path / "tmp"


def databases(server: str) -> list[str]:
    with psycopg.connect(server) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'statemachine%'")
        return [name for (name,) in found.fetchall()]


@pytest.mark.parametrize(
    ("lane", "signals", "on_postgresql"),
    [
        ("processes", [signal.SIGINT], False),
        ("processes", [signal.SIGTERM, signal.SIGINT, signal.SIGINT], True),
        ("gate", [signal.SIGINT, signal.SIGTERM], False),
    ],
    ids=["Ctrl-C", "SIGTERM and impatience, on PostgreSQL", "the gate"],
)
def test_an_interrupted_run_leaves_nothing_behind(
    lane: str, signals: Sequence[signal.Signals], on_postgresql: bool, place: Path, postgresql_server: str
) -> None:
    options = LONG if lane == "processes" else ()
    before = databases(postgresql_server)
    server = ("--database-server", postgresql_server) if on_postgresql else ()
    running = subprocess.Popen(
        [sys.executable, "-m", "statemachine", lane, *options, *server],
        cwd=place.parent,
        env=environment({"TMPDIR": str(place)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        # The run, its queue, and two workers at least.
        until(lambda: len([each for each in processes_of(place) if " worker " in each]) >= 2, 30)
        time.sleep(1)
        assert (databases(postgresql_server) != before) == on_postgresql
        for number in signals:
            running.send_signal(number)
            time.sleep(0.1)
        output, _ = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 130, output
    assert output.splitlines()[-1] == "interrupted"
    assert "Traceback" not in output
    nothing_left(place)
    assert databases(postgresql_server) == before


BROKEN = {
    "not there": ("Missing", "no-such-worker --queue ai: No such file or directory; mend what the fleet's"),
    "ends at once": (
        "Crash",
        "5 workers of ai in a row ended by themselves and received nothing, the last with exit",
    ),
}


@pytest.mark.parametrize(("binding", "words"), BROKEN.values(), ids=BROKEN)
def test_workers_that_cannot_run_end_the_run_with_one_sentence(binding: str, words: str, place: Path) -> None:
    began = time.monotonic()
    options = ("--binding", f"theirs:{binding}", "--kills", "1", "--jobs", "1")
    ran = command("processes", *options, cwd=place.parent, env={"TMPDIR": str(place)})
    assert ran.code == 4, ran
    assert words in ran.lines[-1], ran
    assert "Traceback" not in ran.output
    if binding == "Crash":
        assert ran.lines[-1].endswith("import sys; sys.exit('\"'\"'MODEL_PATH is not set'\"'\"')'")
        # Five workers at least, and the command itself; two may write into the same line.
        assert ran.output.count("MODEL_PATH is not set") >= 6, "what the workers said is seen"
    assert time.monotonic() - began < 20
    nothing_left(place)
