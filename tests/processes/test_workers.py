"""A worker process: what is read of it, that freezing it holds it, and every way to stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from statemachine.binding.fleet import FleetError, Stop
from statemachine.processes import workers
from statemachine.processes.workers import Worker
from tests.processes.scripted import (
    OBEDIENT,
    TICKS,
    ScriptedFleet,
    gone,
    logged,
    logging_at_once,
    running,
)
from tests.support.waiting import until


def test_a_frozen_worker_logs_nothing_until_it_is_thawed() -> None:
    with running(ScriptedFleet(TICKS)) as worker:
        logged(worker, "tick")
        worker.freeze()
        worker.read()
        before = len(worker.lines)
        # A hundred times the time between two of its lines.
        time.sleep(0.1)
        assert worker.read() == []
        assert (worker.frozen, worker.alive, len(worker.lines)) == (True, True, before)
        worker.thaw()
        logged(worker, "tick")
        assert len(worker.lines) > before


def test_freezing_can_be_repeated_at_once() -> None:
    with running(ScriptedFleet(TICKS)) as worker:
        for _ in range(50):
            worker.freeze()
            assert worker.frozen
            worker.thaw()


@pytest.mark.parametrize("noticed", [False, True], ids=["not yet noticed", "noticed"])
def test_a_worker_that_has_ended_is_not_frozen(noticed: bool) -> None:
    with running(ScriptedFleet("")) as worker:
        until(lambda: gone(worker._process.pid))
        assert not noticed or not worker.alive
        worker.freeze()
        assert not worker.frozen
        worker.thaw()
        assert worker.exit_code == 0, "the exit is still there for whoever waits for it"


def test_all_that_stands_in_the_pipe_is_read_before_any_of_it_is_acted_on() -> None:
    noted: list[str] = []
    fleet = ScriptedFleet(logging_at_once("finish.accepted", "delete.called", "message.deleted"))
    worker = Worker(fleet, "w-1", lambda event: noted.append(event["event"]))
    try:
        first, *_ = until(worker.read)
        assert first["event"] == "finish.accepted"
        assert worker.last["event"] == "message.deleted"
        assert noted == ["finish.accepted", "delete.called", "message.deleted"]
    finally:
        worker.close()


def test_lines_in_pieces_of_others_and_not_in_utf8_are_kept() -> None:
    program = (
        "import os, time\n"
        "os.write(1, b'{\"event\": \"ha'); time.sleep(0.1); os.write(1, b'lf\"}\\n')\n"
        'os.write(1, b\'plain \\xff text\\n[1]\\n{"event": "last"}\\n\')\n'
        "os.write(1, b'no end of line')\n"
    )
    with running(ScriptedFleet(program)) as worker:
        worker.wait(10)
        worker.read_rest()
        assert worker.lines == ['{"event": "half"}', "plain \ufffd text", "[1]", '{"event": "last"}']
        assert worker.last == {"event": "last"}
        assert worker.exhausted


@pytest.mark.parametrize(("how", "name"), [(Stop.CTRL_C, "SIGINT"), (Stop.TERM, "SIGTERM")])
def test_a_polite_stop_is_heard(how: Stop, name: str) -> None:
    with running(ScriptedFleet()) as worker:
        logged(worker, "ready")
        worker.stop(how)
        assert worker.asked
        assert worker.wait(10)
        worker.read_rest()
        assert (worker.last["signal"], worker.exit_code) == (name, 0)


def test_a_kill_is_not_heard() -> None:
    with running(ScriptedFleet()) as worker:
        logged(worker, "ready")
        worker.kill()
        worker.read_rest()
        assert (worker.last["event"], worker.exit_code) == ("ready", -signal.SIGKILL)


def test_a_frozen_worker_can_be_killed() -> None:
    with running(ScriptedFleet(TICKS)) as worker:
        worker.freeze()
        worker.kill()
        assert worker.exit_code == -signal.SIGKILL


DOCKER = f"""#!{sys.executable}
import os, pathlib, signal, subprocess, sys
what, name, here = sys.argv[1], sys.argv[-1], pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)
if what == "run":
    # A container: no signal to this process reaches it.
    inside = subprocess.Popen([sys.executable, "-c", {OBEDIENT!r}], start_new_session=True)
    (here / name).write_text(str(inside.pid))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = inside.wait()
    sys.exit(code if code >= 0 else 128 - code)
os.kill(int((here / name).read_text()), {{"stop": signal.SIGTERM, "kill": signal.SIGKILL}}[what])
"""
"""As much of docker as a fleet needs: ``run NAME``, ``stop NAME``, ``kill NAME``."""

STOP_COMMANDS = {Stop.TERM: ("docker", "stop", "{name}"), Stop.KILL: ("docker", "kill", "{name}")}


class DockerFleet(ScriptedFleet):
    def command(self, worker: str) -> tuple[str, ...]:
        return ("docker", "run", worker)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on PATH with a program of that name; ``calls`` in it says how it was called."""
    program = tmp_path / "docker"
    program.write_text(DOCKER, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize(("how", "code"), [(Stop.TERM, 0), (Stop.KILL, 128 + signal.SIGKILL)])
def test_a_container_is_stopped_by_its_fleets_command(docker: Path, how: Stop, code: int) -> None:
    fleet = DockerFleet(stop_commands=STOP_COMMANDS)
    with running(fleet, "academy-1") as worker, running(fleet, "academy-2") as other:
        inside, untouched = (logged(each, "ready")["pid"] for each in (worker, other))
        worker.stop(how)
        assert worker.wait(10)
        assert worker.exit_code == code
        assert gone(inside)
        assert not gone(untouched)
        assert other.alive
    calls = (docker / "calls").read_text().splitlines()
    word = {Stop.TERM: "stop", Stop.KILL: "kill"}[how]
    assert f"{word} academy-1" in calls
    assert gone(untouched)


def test_a_stop_command_that_fails_is_named_with_what_it_said() -> None:
    command = (sys.executable, "-c", "raise SystemExit('Error: No such container: {name}')")
    with running(ScriptedFleet(stop_commands={Stop.TERM: command})) as worker:
        with pytest.raises(FleetError) as raised:
            worker.stop(Stop.TERM)
        assert "exit code 1: Error: No such container: w-1; mend the fleet's stop_commands" in str(
            raised.value
        )


def test_a_stop_command_that_is_not_there_is_named() -> None:
    fleet = ScriptedFleet(stop_commands={Stop.TERM: ("no-such-docker", "stop", "{name}")})
    with running(fleet) as worker, pytest.raises(FleetError) as raised:
        worker.stop(Stop.TERM)
    assert str(raised.value).startswith("no-such-docker stop w-1: No such file or directory;")


def test_a_kill_command_that_kills_nothing_is_reported_and_the_worker_ends_anyway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "END_SECONDS", 0.2)
    with running(ScriptedFleet(stop_commands={Stop.KILL: ("true",)})) as worker:
        pid = logged(worker, "ready")["pid"]
        with pytest.raises(FleetError, match=r"worker w-1 still runs 0\.2 s after it was killed"):
            worker.kill()
        assert worker.alive
    assert gone(pid)


def test_a_process_that_a_worker_leaves_behind_is_not_waited_for_and_ended() -> None:
    child = "import time; time.sleep(60)"
    program = (
        f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-S', '-c', {child!r}])\n"
        'print(\'{"event": "left", "pid": %d}\' % child.pid, flush=True)'
    )
    with running(ScriptedFleet(program)) as worker:
        pid = logged(worker, "left")["pid"]
        worker.wait(10)
        worker.read_rest()
        assert not worker.exhausted, "the child holds the pipe open"
        assert not gone(pid)
    until(lambda: gone(pid))


def test_a_command_that_cannot_be_started_is_named() -> None:
    class Nothing(ScriptedFleet):
        def command(self, worker: str) -> tuple[str, ...]:
            return ("no-such-program", "--name", "a b")

    with pytest.raises(FleetError) as raised:
        Worker(Nothing(), "w-1")
    assert str(raised.value) == (
        "the workers of scripted cannot be started: no-such-program --name 'a b': No such file or directory; "
        "mend what the fleet's command() returns"
    )


def test_ctrl_c_in_the_terminal_does_not_reach_a_worker() -> None:
    with running(ScriptedFleet()) as worker:
        pid = logged(worker, "ready")["pid"]
        assert os.getpgid(pid) == pid != os.getpgid(0)
        assert subprocess.run(["kill", "-0", str(pid)], check=False).returncode == 0
