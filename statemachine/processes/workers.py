"""Worker processes: start, read, freeze, stop and kill them.

A worker logs to its standard output, a pipe: a line that was written before a kill stays in the pipe and is
read after it.  A frozen worker (SIGSTOP) executes nothing, so what is seen of it stays true until it is
thawed or killed.  Threads freeze with their process; processes that it started do not.
"""

from __future__ import annotations

import json
import os
import selectors
import shlex
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from statemachine.binding.fleet import SIGNALS, Fleet, FleetError, Stop

_CHUNK = 1 << 20
"""More than a pipe holds, so that one look takes in all that was written."""
STOP_COMMAND_SECONDS = 60
"""Patience with one of a fleet's ``stop_commands``; ``docker stop`` alone waits for 10 s by default."""
END_SECONDS = 10
"""Time for a process to be gone after it was killed."""


def now() -> datetime:
    return datetime.now(UTC)


def as_logged(moment: datetime) -> str:
    """Return a time in UTC as log lines write it: ISO 8601, microseconds, ``Z`` (docs/logs.md)."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def line(event: str, text: str, **fields: Any) -> str:
    """Return a log line of the operator, in the format of docs/logs.md."""
    return json.dumps({"at": as_logged(now()), "event": event, "worker": "operator", "text": text, **fields})


class Worker:
    """One worker process; ``note`` is called with each event that is read from it.

    Raises :class:`~statemachine.binding.fleet.FleetError` when it cannot be started.
    """

    def __init__(
        self, fleet: Fleet, name: str, note: Callable[[dict[str, Any]], None] = lambda event: None
    ) -> None:
        self.fleet = fleet
        self.name = name
        self.lines: list[str] = []
        """All that it has logged."""
        self.last: dict[str, Any] = {}
        """The newest event that it has logged."""
        self.frozen = False
        self.exhausted = False
        """Its pipe is closed: nothing more can come."""
        self.asked = False
        """It was asked to stop, or killed."""
        self._note = note
        self._rest = b""
        self._process = _started(fleet, name)
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
        """Return the events logged since the last call.

        All of them are taken in before any is acted on: ``last`` must not be older than what stands in the
        pipe, or a worker would be struck at a moment that it has left.
        """
        try:
            chunk = os.read(self.output.fileno(), _CHUNK)
        except BlockingIOError:
            return []
        self.exhausted = not chunk
        # A kill can cut the last line; what follows no newline waits here and is never logged.
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        texts = [raw.decode("utf-8", "replace") for raw in whole]
        self.lines += texts
        events = [event for event in map(read, texts) if event]
        for event in events:
            self.last = event
            self._note(event)
        return events

    def read_rest(self) -> None:
        """Take in what an ended worker left in its pipe.

        Without waiting: a process that it started may hold the pipe open for ever.
        """
        while not self.exhausted and ready([self], 0):
            self.read()

    def freeze(self) -> None:
        """Stop it by SIGSTOP and wait until it stands still; it is not ``frozen`` afterwards if it ended."""
        self._process.send_signal(signal.SIGSTOP)
        # SIGSTOP is sent and not yet obeyed when send_signal returns, so the kernel is asked.  WNOWAIT looks
        # first and leaves the answer: an exit must stay there for Popen.wait.
        with suppress(ChildProcessError):  # Popen has already reaped it
            found = os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if found is not None and found.si_code == os.CLD_STOPPED:
                os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)
                self.frozen = True

    def thaw(self) -> None:
        """Let it run on (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)
        self.frozen = False

    def stop(self, how: Stop) -> None:
        """Ask it to stop as an operator does: by its fleet's command for that, or by a signal.

        Raises :class:`~statemachine.binding.fleet.FleetError` when the command fails.
        """
        self.asked = True
        command = self.fleet.stop_commands.get(how)
        if command:
            _carried_out([part.format(name=self.name) for part in command])
        else:
            self._process.send_signal(SIGNALS[how])

    def kill(self) -> None:
        """Kill it and wait for its end.  Raises ``FleetError`` when it lives on.

        A frozen worker dies as well: SIGKILL needs no SIGCONT, so no instruction runs in between.
        """
        self.stop(Stop.KILL)
        if not self.wait(END_SECONDS):
            raise FleetError(
                f"worker {self.name} still runs {END_SECONDS} s after it was killed: the fleet's "
                f"stop_commands[{Stop.KILL}] must end what its command() starts"
            )
        self.frozen = False

    def wait(self, seconds: float) -> bool:
        """Wait for its end; return whether it came within ``seconds``."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Leave nothing of it behind, whatever its fleet's commands do."""
        if self.alive:
            with suppress(FleetError):
                self.kill()
        if self.alive or not self.exhausted:
            # The worker or a process that it started holds its output open; both are in its process group.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.output.close()


def _started(fleet: Fleet, name: str) -> subprocess.Popen[bytes]:
    command = list(fleet.command(name))
    try:
        return subprocess.Popen(
            command,
            env=os.environ | dict(fleet.environment(name)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Ctrl-C in a terminal goes to its whole process group; the run stops its workers itself.
            start_new_session=True,
        )
    except OSError as error:
        raise FleetError(
            f"the workers of {fleet.name} cannot be started: {shlex.join(command)}: {error.strerror}; "
            "mend what the fleet's command() returns"
        ) from None


def _carried_out(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=STOP_COMMAND_SECONDS)
        why = f"exit code {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}"
        failed = done.returncode != 0
    except OSError as error:
        failed, why = True, str(error.strerror)
    except subprocess.TimeoutExpired:
        failed, why = True, f"it took more than {STOP_COMMAND_SECONDS} s"
    if failed:
        raise FleetError(f"{shlex.join(command)}: {why}; mend the fleet's stop_commands")


def read(text: str) -> dict[str, Any]:
    """Return the event of a log line; an empty one for a line that is none of a worker's log."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) and "event" in read else {}


def ready(workers: Sequence[Worker], seconds: float) -> list[Worker]:
    """Return the workers that have something to read; wait for the first at most ``seconds``."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.output, selectors.EVENT_READ, worker)
        return [key.data for key, _ in selector.select(seconds)]
