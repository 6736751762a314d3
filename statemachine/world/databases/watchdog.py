"""A process of its own that starts a private PostgreSQL server, and ends it together with the run.

A killed run executes no handler and no ``finally``.  So it holds a pipe to this process: when the run ends,
however it ends, the kernel closes the pipe, and the watchdog stops the server and removes its files.

It is started by its path with the standard library alone (``python -I -S``), so that no PYTHONPATH and no
sitecustomize of the run reaches it, and in a session of its own, so that no Ctrl-C at the terminal does.

Only a kill of this process itself, or of the machine, leaves the server's files behind.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

START_SECONDS = 120
"""For ``initdb`` and for the server's start, each; they take 0.5 s and 0.1 s, 10 s on a busy machine."""
STOP_SECONDS = 10
"""To wait after SIGQUIT.  After 5 s the server itself kills those of its processes that have not ended."""
REMOVE_SECONDS = 5
"""A process that was just killed may still make a file while its directory is being removed."""
LOOK_SECONDS = 0.02
"""Between two looks at a server that starts."""
PARENT_SECONDS = 1.0
"""Between two looks at the parent.

A fork of the run (a worker of multiprocessing, say) inherits the pipe and may hold it open after the run's
end.  Then only a new parent process shows that the run has ended.
"""


class Failed(Exception):
    """The server cannot be started; the message says why."""


class Orphaned(Exception):
    """The run has ended, or asks for the end of its server."""


class Watchdog:
    """Starts one server, waits for the run to end, and removes the server."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        """``task`` is what ``private_server.py`` sends, as JSON.

        - ``programs``: the directory of ``initdb`` and ``postgres``
        - ``within``: the directory below which the server's own is made
        - ``owner``: the database's superuser
        - ``settings``: PostgreSQL settings by name
        - ``identity``: empty, or ``user``, ``group`` and ``extra_groups`` of ``subprocess.Popen``
        - ``copied``: directories without which ``programs`` does not run, if they have to be copied
        """
        self._task = task
        self._parent = os.getppid()
        self._server: subprocess.Popen[bytes] | None = None
        self._terminated = False
        self._folder = Path(tempfile.mkdtemp(prefix="statemachine-pg-", dir=task["within"]))
        self._log = self._folder / "log"

    def terminate(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: end as if the run had ended."""
        self._terminated = True

    def run(self) -> None:
        """Start the server, print where it is, and stop it when the run ends."""
        try:
            self._own(self._folder)
            programs = self._programs()
            self._initialise(programs)
            pid = self._start(programs)
            _tell({"folder": str(self._folder), "pid": pid})
            while True:
                self._look(PARENT_SECONDS)
        except Orphaned:
            return
        finally:
            self._end()

    def _look(self, seconds: float) -> None:
        """Wait for ``seconds``.  Raise :class:`Orphaned` at once if the run writes to or closes the pipe."""
        heard, _, _ = select.select([0], [], [], seconds)
        if heard or self._terminated or os.getppid() != self._parent:
            raise Orphaned

    def _own(self, path: Path) -> None:
        if self._task["identity"]:
            user, group = (self._task["identity"][key] for key in ("user", "group"))
            try:
                os.chown(path, user, group, follow_symlinks=False)
            except OSError as error:
                # Root without CAP_CHOWN, as in some containers.
                raise Failed(f"root cannot give files to user {user}: {error.strerror}") from None

    def _programs(self) -> Path:
        """Return a directory of programs that the server's user may run: a copy, if theirs is shut to it."""
        programs = Path(self._task["programs"])
        if not self._task["copied"]:
            return programs
        common = Path(os.path.commonpath(self._task["copied"]))
        for each in map(Path, self._task["copied"]):
            shutil.copytree(each, self._folder / "copy" / each.relative_to(common), symlinks=True)
        for directory, _, files in os.walk(self._folder / "copy"):
            for path in (directory, *(os.path.join(directory, file) for file in files)):
                self._own(Path(path))
        return self._folder / "copy" / programs.relative_to(common)

    def _initialise(self, programs: Path) -> None:
        options = ["--auth=trust", f"--username={self._task['owner']}", "--no-sync", "--encoding=UTF8"]
        command = [programs / "initdb", "-D", self._folder / "data", "--locale=C", *options]
        running = self._spawn([str(part) for part in command])
        try:
            until = time.monotonic() + START_SECONDS
            while running.poll() is None and time.monotonic() < until:
                self._look(LOOK_SECONDS)
            if running.poll() != 0:
                raise Failed(f"initdb {self._why(running)}")
        finally:
            if running.poll() is None:
                # The whole group: the server that initdb itself runs would go on writing for a moment.
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()

    def _start(self, programs: Path) -> int:
        """Start the server; return its process id once the last line of its pid file says ``ready``."""
        settings = {**self._task["settings"], "unix_socket_directories": str(self._folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server = self._spawn([str(programs / "postgres"), "-D", str(self._folder / "data"), *options])
        status = self._folder / "data" / "postmaster.pid"
        until = time.monotonic() + START_SECONDS
        while self._server.poll() is None and time.monotonic() < until:
            self._look(LOOK_SECONDS)
            if status.exists() and status.read_text(encoding="utf-8").rstrip().endswith("ready"):
                return self._server.pid
        raise Failed(f"postgres {self._why(self._server)}")

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        # PGPORT, PGDATA and their like are about other servers.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        try:
            with self._log.open("ab") as log:
                return subprocess.Popen(
                    command,
                    cwd="/",
                    env={**environment, "LC_ALL": "C"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    process_group=0,
                    **self._task["identity"],
                )
        except OSError as error:
            raise Failed(f"{command[0]} cannot be run: {error.strerror or error}") from None

    def _why(self, process: subprocess.Popen[bytes]) -> str:
        code = process.poll()
        ended = f"is not done after {START_SECONDS} s" if code is None else f"ended with exit code {code}"
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        told = [line.strip() for line in lines if line.strip()]
        # PostgreSQL logs what went wrong first, then advice.
        wrong = [line for line in told if "FATAL" in line or "error" in line.lower()]
        return f"{ended} ({(wrong or told[-1:] or ['it said nothing'])[0]})"

    def _end(self) -> None:
        if self._server is not None:
            self._stop(self._server)
        until = time.monotonic() + REMOVE_SECONDS
        while self._folder.exists() and time.monotonic() < until:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        # SIGCONT, since a stopped process handles no signal.  SIGQUIT ends it at once, without a checkpoint.
        for number in (signal.SIGCONT, signal.SIGQUIT):
            server.send_signal(number)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        watchdog = Watchdog(json.loads(sys.argv[1]))
        signal.signal(signal.SIGTERM, watchdog.terminate)
        watchdog.run()
    except (Failed, OSError) as error:
        with suppress(BrokenPipeError):
            _tell({"failed": str(error)})


def _tell(what: Mapping[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
