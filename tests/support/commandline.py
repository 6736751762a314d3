"""Runs the real command line in a process of its own, as a person would, and reads what it prints.

The environment is built from nothing: what a developer's shell or the tests' own session happens to
export (``DJANGO_SETTINGS_MODULE``, ``CI``, ``PYTHONPATH``, ``PYTEST_ADDOPTS``) must not decide a test.
"""

from __future__ import annotations

import atexit
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPO = Path(__file__).parents[2]

CHECKOUT = (str(REPO / "statemachine"),)
"""The arguments of ``pytest statemachine/``, from any directory."""

STRANGER = ("-p", "statemachine.plugin", "--pyargs", "statemachine")
"""The arguments of a user who has installed the project, from a directory of their own."""

SHORT = ("--hypothesis-profile", "short")
"""Thirty short examples; ``tiny`` is five.  Both need :data:`SHORT_CONFTEST` in the directory they run in."""

SHORT_CONFTEST = """
from hypothesis import settings
settings.register_profile("short", max_examples=30, stateful_step_count=30)
settings.register_profile("tiny", max_examples=5, stateful_step_count=10)
"""

_CHOOSING = ("--lane", "--replay", "--fuzz-for", "--exhaust", "--help", "--version")
"""Options with which a run plays one lane, or none, anyhow."""

TIMEOUT_SECONDS = 300
"""No run needs a tenth of it, on a machine of its own."""

_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL")


@cache
def _bytecode() -> str:
    """Where all runs keep what they compile: it makes a start three times as fast."""
    directory = tempfile.mkdtemp(prefix="statemachine-end-to-end-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and all it printed."""

    command: tuple[str, ...]
    code: int
    output: str

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()

    @property
    def report(self) -> list[str]:
        """The failure report, from its headline to what was looked at; fails when there is none."""
        found = re.search(
            r"^FAIL  \w+\n.*?^  (Looked at|Found again|REPRODUCED) [^\n]*$", self.output, re.M | re.S
        )
        assert found, self
        return found[0].splitlines()

    @property
    def summary(self) -> list[str]:
        """The lines that close a run, without pytest's own; fails when there are none."""
        found = re.search(r"^=+ statemachine: [^\n]*=\n(.*?)^([=!]{3}|\d+ \w+ in )", self.output, re.M | re.S)
        assert found, self
        return found[1].strip("\n").splitlines()

    @property
    def verdict(self) -> str:
        """The last sentence of the summary, in one line however it was wrapped."""
        lines = self.summary
        place = max(number for number, line in enumerate(lines) if line and not line.startswith(" "))
        return " ".join(line.strip() for line in lines[place:]).strip()

    @property
    def folder(self) -> str:
        """The folder in which the report says that the history is saved."""
        found = re.search(r"--replay=(\S+)$", "\n".join(self.report), re.M)
        assert found, self
        return found[1]

    @property
    def reproduce(self) -> list[str]:
        """The command that the report gives, as the arguments of pytest."""
        place = self.report.index("  Reproduce")
        words = shlex.split(self.report[place + 1])
        assert words[0] == "pytest", self
        return words[1:]

    def __str__(self) -> str:
        return f"{shlex.join(self.command)}\nexit code {self.code}\n{self.output}"


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a run: what a process needs to start, and ``extra``."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    fixed = {
        "PYTHONPYCACHEPREFIX": _bytecode(),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    return kept | fixed | dict(extra or {})


def run(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    script: bool = False,
    python: Path = Path(sys.executable),
) -> Ran:
    """Run pytest with ``arguments`` in ``cwd``; ``script`` calls ``pytest`` instead of ``python -m pytest``.

    The two differ: only the second puts ``cwd`` on Python's path.  ``python`` is that of an environment.
    """
    program = [str(python.with_name("pytest"))] if script else [str(python), "-m", "pytest"]
    return _run(program, (*arguments, *_lane_of(arguments)), cwd, env)


def _lane_of(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """``--lane embedded`` for a plain run, which would go on to the transactions lane: half a minute more."""
    plays = not {"statemachine", "statemachine/", *CHECKOUT}.isdisjoint(arguments)
    chosen = any(argument.partition("=")[0] in _CHOOSING for argument in arguments)
    return ("--lane", "embedded") if plays and not chosen else ()


def command(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run ``python -m statemachine`` with ``arguments`` in ``cwd``."""
    return _run([sys.executable, "-m", "statemachine"], arguments, cwd, env)


def _run(program: list[str], arguments: tuple[str, ...], cwd: Path, env: Mapping[str, str] | None) -> Ran:
    done = subprocess.run(
        [*program, *arguments],
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return Ran(arguments, done.returncode, done.stdout)


def interrupt(
    *arguments: str,
    cwd: Path,
    busy: Callable[[], object],
    patience_seconds: float = 60,
    number: signal.Signals = signal.SIGINT,
) -> Ran:
    """Run pytest with ``arguments`` in ``cwd`` and send it a real signal once it is ``busy``.

    It gets one after ``patience_seconds`` as well; what it prints then fails the test.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        until = time.monotonic() + patience_seconds
        while process.poll() is None and not busy() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(number)
        output, _ = process.communicate(timeout=2 * patience_seconds)
    finally:
        process.kill()
    return Ran(arguments, process.returncode, output)


def at_once(calls: Iterable[Callable[[], Ran]]) -> list[Ran]:
    """Make runs that do not touch each other side by side, as many as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [running.result() for running in [pool.submit(call) for call in calls]]


def history_in(cwd: Path, ran: Ran) -> Path:
    """The history that ``ran``, a failing run in ``cwd``, says it has saved."""
    return cwd / ran.folder / "history.ndjson"


def write(directory: Path, **modules: str) -> Path:
    """Write Python modules into ``directory``, by name, and return it."""
    for name, text in modules.items():
        (directory / f"{name}.py").write_text(text, encoding="utf-8")
    return directory
