"""Worker processes: started, read, frozen, stopped and killed.

What a worker logged is read from its standard output, line by line, as it comes; a line that was written
before a kill is not lost.  A frozen worker (SIGSTOP) executes nothing, so whatever is looked at meanwhile
stays true until it is thawed or killed.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from statemachine.processes.fleet import SIGNALS, Fleet, Stop

_CHUNK = 1 << 16


def now() -> datetime:
    return datetime.now(UTC)


def line(event: str, text: str, **fields: Any) -> str:
    """A log line of the operator, in the format of docs/logs.md."""
    at = now().isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({"at": at, "event": event, "worker": "operator", "text": text, **fields})


class Worker:
    """One process.

    ``last`` is the event that it logged last, ``lines`` is all that it logged, and ``exhausted`` says that
    nothing more can come.
    """

    def __init__(self, fleet: Fleet, name: str) -> None:
        self.fleet = fleet
        self.name = name
        self.lines: list[str] = []
        self.last: dict[str, Any] = {}
        self.frozen = False
        self.exhausted = False
        self._rest = b""
        self._process = subprocess.Popen(
            fleet.command(name),
            env=os.environ | dict(fleet.environment(name)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Ctrl-C in the terminal is for the run, which then stops its workers itself.
            start_new_session=True,
        )
        if self._process.stdout is None:
            raise RuntimeError("a worker without a pipe cannot be read")
        os.set_blocking(self._process.stdout.fileno(), False)

    @property
    def output(self) -> Any:
        return self._process.stdout

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def read(self) -> list[dict[str, Any]]:
        """The events logged since the last time, as far as they have come."""
        try:
            chunk = os.read(self.output.fileno(), _CHUNK)
        except BlockingIOError:
            return []
        self.exhausted = not chunk
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        texts = [raw.decode("utf-8", "replace") for raw in whole]
        self.lines += texts
        events = [event for event in map(read, texts) if event]
        self.last = events[-1] if events else self.last
        return events

    def freeze(self) -> None:
        """Stop it between two instructions, and wait until it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        # Looked at first and then taken, since an exit must be left for whoever waits for it.
        found = os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if found is not None and found.si_code == os.CLD_STOPPED:
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)
        self.frozen = True

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self.frozen = False

    def stop(self, how: Stop) -> None:
        """Stop it as an operator does: by its fleet's command for that, or by a signal."""
        command = self.fleet.stop_commands.get(how)
        if command:
            subprocess.run([part.format(name=self.name) for part in command], check=True, capture_output=True)
        else:
            self._process.send_signal(SIGNALS[how])

    def kill(self) -> None:
        """Kill it, as its fleet does that, and wait for its end."""
        self.stop(Stop.KILL)
        self._process.wait()
        self.frozen = False

    def wait(self, seconds: float) -> bool:
        """Whether it ended by itself within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Make sure that nothing is left of it."""
        if self.alive:
            self.kill()
        self.output.close()


def read(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) and "event" in read else {}


def ready(workers: Sequence[Worker], seconds: float) -> list[Worker]:
    """The workers that have logged something, waiting for one at most so many seconds."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.output, selectors.EVENT_READ, worker)
        return [key.data for key, _ in selector.select(seconds)]
