"""However a run ends, nothing is left of its private server: each of these runs really ends that way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.commandline import REPO, environment
from tests.support.waiting import until
from tests.world.databases.seen import all_gone, command_line, family, speaking_of

pytestmark = [
    pytest.mark.usefixtures("postgresql_server"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc"),
]

RUN = """
import json, os, signal, subprocess, sys, time
from statemachine.world.databases.postgresql import database
from statemachine.world.databases.private_server import private_server

with private_server() as server:
    print(json.dumps({"folder": str(server.folder), "pid": server.pid}), flush=True)
"""

BY_ITSELF = {
    "normally": "pass",
    "by an exception": "raise RuntimeError('a bug')",
    "by SystemExit": "sys.exit(3)",
    "without any cleaning up": "os._exit(3)",
    # The pipe to the watchdog stays open for as long as that child lives.
    "while a fork of it goes on": "os.fork() or time.sleep(60); os._exit(0)",
    "while a fork of it goes on, normally": "os.fork() or (time.sleep(60), os._exit(0))",
    "with its server dead": "os.kill(server.pid, signal.SIGKILL)",
    "with its server frozen": "os.kill(server.pid, signal.SIGSTOP); os._exit(3)",
}

BY_A_SIGNAL = [
    (signal.SIGINT, True),  # Ctrl-C: the terminal signals the whole group.
    (signal.SIGTERM, False),
    (signal.SIGHUP, True),
    (signal.SIGKILL, False),
    (signal.SIGKILL, True),
]


@contextmanager
def running(code: str, place: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPO,
        env=environment({"TMPDIR": str(place)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            # A fork of it may still be there.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def read_server(process: subprocess.Popen[str], place: Path) -> set[int]:
    """The processes of the server that runs now; its files are there."""
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    folder = Path(told["folder"])
    assert (folder.parent, (folder / "data").is_dir()) == (place, True)
    assert speaking_of(place)
    pids = family(told["pid"])
    # The watchdog, the server, its checkpointer and both writers at least.
    assert len(pids) >= 5
    return pids


def nothing_left(pids: set[int], place: Path) -> None:
    until(all_gone(pids), 40)
    assert list(place.iterdir()) == []
    assert speaking_of(place) == []


@pytest.mark.parametrize("ending", BY_ITSELF.values(), ids=BY_ITSELF)
def test_a_run_that_ends_by_itself_leaves_no_server_behind(ending: str, place: Path) -> None:
    # Half a second, for its processes to be seen.
    with running(f"{RUN}    time.sleep(0.5)\n    {ending}\n", place) as process:
        pids = read_server(process, place)
        began = time.monotonic()
        nothing_left(pids, place)
        # The one that sleeps for 60 s must not be waited for.
        assert time.monotonic() - began < 45


@pytest.mark.parametrize(("number", "whole_group"), BY_A_SIGNAL)
def test_a_run_that_is_ended_by_a_signal_leaves_no_server_behind(
    number: signal.Signals, whole_group: bool, place: Path
) -> None:
    with running(f"{RUN}    time.sleep(60)\n", place) as process:
        pids = read_server(process, place)
        (os.killpg if whole_group else os.kill)(process.pid, number)
        process.wait(20)
        nothing_left(pids, place)


def test_the_watchdog_ends_its_server_when_it_is_terminated_itself(place: Path) -> None:
    with running(f"{RUN}    time.sleep(60)\n", place) as process:
        pids = read_server(process, place)
        (watchdog,) = [pid for pid in pids if "watchdog.py" in command_line(pid)]
        os.kill(watchdog, signal.SIGTERM)
        nothing_left(pids, place)
        assert process.poll() is None
        process.kill()


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.4, 0.8])
def test_a_run_that_is_killed_while_its_server_starts_leaves_nothing_behind(
    seconds: float, place: Path
) -> None:
    with running(f"{RUN}    time.sleep(60)\n", place) as process:
        until(lambda: bool(list(place.iterdir())), 20)
        time.sleep(seconds)
        process.kill()
        process.wait(20)
        assert process.stdout is not None
        # At 0 s not even initdb is done: that takes longer than it took to see the directory.
        assert seconds > 0 or process.stdout.read() == ""
        until(lambda: not speaking_of(place), 20)
        assert list(place.iterdir()) == []


INTERRUPTED = """
import json, signal, time
from statemachine.world.databases.postgresql import database

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with database(None) as made:
        print(json.dumps(made.django_settings()["HOST"]), flush=True)
        time.sleep(60)
except KeyboardInterrupt as interrupted:
    print("interrupted", getattr(interrupted, "__notes__", []))
"""


def test_an_interrupted_run_with_a_database_hears_of_nothing_but_the_interruption(place: Path) -> None:
    with running(INTERRUPTED, place) as process:
        assert process.stdout is not None
        assert Path(json.loads(process.stdout.readline())).parent == place
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted []\n"
        assert process.wait(20) == 0
    assert list(place.iterdir()) == []
