"""Worker processes: started, read, frozen, stopped and killed.

What a worker logged is read from its standard output, line by line, as it comes; a line that was written
before a kill is not lost.  A frozen worker (SIGSTOP) executes nothing, so whatever is looked at meanwhile
stays true until it is thawed or killed.
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
END_SECONDS = 10
"""For a process that was killed to be gone."""


def now() -> datetime:
    return datetime.now(UTC)


def told(moment: datetime) -> str:
    """A moment in UTC as log lines give it (docs/logs.md)."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def line(event: str, text: str, **fields: Any) -> str:
    """A log line of the operator, in the format of docs/logs.md."""
    return json.dumps({"at": told(now()), "event": event, "worker": "operator", "text": text, **fields})


class Worker:
    """One process.

    ``last`` is the newest event that it logged, ``lines`` is all that it logged, ``exhausted`` says that
    nothing more can come, and ``asked`` that it was told to stop.  ``note`` is called with each event, by
    whomever it is read.  Raises :class:`~statemachine.binding.fleet.FleetError` when it cannot be started.
    """

    def __init__(
        self, fleet: Fleet, name: str, note: Callable[[dict[str, Any]], None] = lambda event: None
    ) -> None:
        self.fleet = fleet
        self.name = name
        self.lines: list[str] = []
        self.last: dict[str, Any] = {}
        self.frozen = False
        self.exhausted = False
        self.asked = False
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
        """The events logged since the last time.

        All of them are taken in before any is acted on: ``last`` must not be older than what stands in the
        pipe, or a worker would be struck at a moment that it has left.
        """
        try:
            chunk = os.read(self.output.fileno(), _CHUNK)
        except BlockingIOError:
            return []
        self.exhausted = not chunk
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        texts = [raw.decode("utf-8", "replace") for raw in whole]
        self.lines += texts
        events = [event for event in map(read, texts) if event]
        for event in events:
            self.last = event
            self._note(event)
        return events

    def read_rest(self) -> None:
        """Take in what it left behind.  It has ended: more can only come from a process that it started."""
        while not self.exhausted and ready([self], 0):
            self.read()

    def freeze(self) -> None:
        """Stop it between two instructions, and wait until it stands still; not ``frozen`` if it ended."""
        self._process.send_signal(signal.SIGSTOP)
        # Looked at first and then taken, since an exit must be left for whoever waits for it.
        with suppress(ChildProcessError):  # its end has been noticed before
            found = os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if found is not None and found.si_code == os.CLD_STOPPED:
                os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)
                self.frozen = True

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self.frozen = False

    def stop(self, how: Stop) -> None:
        """Stop it as an operator does: by its fleet's command for that, or by a signal.

        Raises :class:`~statemachine.binding.fleet.FleetError` when the command fails.
        """
        self.asked = True
        command = self.fleet.stop_commands.get(how)
        if command:
            _carried_out([part.format(name=self.name) for part in command])
        else:
            self._process.send_signal(SIGNALS[how])

    def kill(self) -> None:
        """Kill it, as its fleet does that, and wait for its end.  Raises ``FleetError`` when it lives on."""
        self.stop(Stop.KILL)
        if not self.wait(END_SECONDS):
            raise FleetError(
                f"worker {self.name} still runs {END_SECONDS} s after it was killed: the fleet's "
                f"stop_commands[{Stop.KILL}] must end what its command() starts"
            )
        self.frozen = False

    def wait(self, seconds: float) -> bool:
        """Whether it ended by itself within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Make sure that nothing is left of it, whatever its fleet's commands do."""
        if self.alive:
            with suppress(FleetError):
                self.kill()
        if self.alive or not self.exhausted:
            # Somebody holds its output open: it, or a process that it started.
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
            # Ctrl-C in the terminal is for the run, which then stops its workers itself.
            start_new_session=True,
        )
    except OSError as error:
        raise FleetError(
            f"the workers of {fleet.name} cannot be started: {shlex.join(command)}: {error.strerror}; "
            "mend what the fleet's command() gives"
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
