"""Runs ``pytest statemachine/`` on a copy of the project in which one file is replaced by a mutant.

Each worker has its own copy, so that two mutants never meet; each run has an empty corpus, so that none plays
what another has found.  A run that exceeds its time limit counts as killed: the system stands still.  The
limit is processor time, so that a busy computer kills no mutant; a run that waits without working is ended
after five times the limit by the clock.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

SIZES = {"short": ("--hypothesis-profile=fuzz",), "full": ()}
"""Further options of a run, by size: 300 examples of the embedded lane, or the default number."""

COPIED = ("statemachine", "models_under_test", "pyproject.toml")
SYSTEM = "models_under_test"

CLOCK_TIMES_PROCESSOR = 5

SURVIVED = "survived"
TIMEOUT = "timeout"


class SuiteError(Exception):
    """The suite cannot be relied on; the message says what was run and with which outcome."""


@dataclass(frozen=True)
class SuiteOutcome:
    """The outcome of one run."""

    verdict: str
    """:data:`SURVIVED`, or what killed the mutant: ``FAIL claim``, ``UNKNOWN``, ``error`` or ``timeout``."""
    seconds: float
    cpu_seconds: float = 0.0
    output: str = ""

    @property
    def survived(self) -> bool:
        return self.verdict == SURVIVED


def command(size: str, seed: int, corpus: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pytest", "statemachine/", "-x", "-q", "-p", "no:cacheprovider"),
        *(f"--hypothesis-seed={seed}", f"--corpus={corpus}", *SIZES[size]),
    ]


def digest(root: Path) -> str:
    """Return the digest of everything that a run depends on beside the mutant."""
    total = hashlib.sha256()
    for name in COPIED:
        paths = sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]
        for path in paths:
            if path.is_file() and "__pycache__" not in path.parts and ".statemachine" not in path.parts:
                total.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return total.hexdigest()


@contextlib.contextmanager
def bench(root: Path) -> Iterator[Bench]:
    """Make a copy of the project at ``root`` to run in, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        yield Bench(root, Path(place))


class Bench:
    """A copy of the project, for one run after another."""

    def __init__(self, root: Path, place: Path) -> None:
        self._root, self._place = root, place
        for name in COPIED:
            if (root / name).is_dir():
                kept_out = shutil.ignore_patterns("__pycache__", ".statemachine")
                shutil.copytree(root / name, place / name, ignore=kept_out)
            else:
                shutil.copy(root / name, place / name)
        compileall.compile_dir(place, quiet=1)

    def run(self, changed: Mapping[str, str], size: str, seed: int, limit: float) -> SuiteOutcome:
        """Run the suite with the modules ``changed`` (source by name); ``limit`` is in processor seconds.

        Raise :class:`SuiteError` when the run is ended from outside.
        """
        corpus = self._place / "corpus"
        for module, source in changed.items():
            self._write(module, source)
        try:
            return self._run(command(size, seed, corpus), limit)
        finally:
            for module in changed:
                self._write(module, (self._root / SYSTEM / module).read_text(encoding="utf-8"))
            shutil.rmtree(corpus, ignore_errors=True)
            shutil.rmtree(self._place / ".statemachine", ignore_errors=True)

    def _write(self, module: str, source: str) -> None:
        path = self._place / SYSTEM / module
        path.write_text(source, encoding="utf-8")
        # Python takes a compiled file for fresh when second and size agree, as those of two mutants may.
        Path(cache_from_source(str(path))).unlink(missing_ok=True)

    def _run(self, arguments: list[str], limit: float) -> SuiteOutcome:
        kept_out = {"PYTEST_ADDOPTS", "DJANGO_SETTINGS_MODULE", "CI"}
        environment = {name: value for name, value in os.environ.items() if name not in kept_out}
        began, used = time.monotonic(), _cpu_seconds()
        process = subprocess.Popen(
            ["sh", "-c", f'ulimit -S -t {_whole(limit)}; exec "$@"', "sh", *arguments],
            cwd=self._place,
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(
                timeout=None if limit == math.inf else limit * CLOCK_TIMES_PROCESSOR
            )
        except BaseException as stopped:
            _end(process)
            if isinstance(stopped, subprocess.TimeoutExpired):
                return SuiteOutcome(TIMEOUT, time.monotonic() - began)
            raise
        taken = time.monotonic() - began
        if process.returncode == -signal.SIGXCPU:
            return SuiteOutcome(TIMEOUT, taken)
        verdict = verdict_of(process.returncode, output)
        return SuiteOutcome(verdict, taken, _cpu_seconds() - used, output)


def _whole(limit: float) -> str:
    return "unlimited" if limit == math.inf else str(math.ceil(limit))


def _cpu_seconds() -> float:
    """Return the processor time of all child processes that have ended.

    A difference is the time of one child only when no other ended in between.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def verdict_of(exit_code: int, output: str) -> str:
    """Return the verdict of a run.  Raise :class:`SuiteError` when a signal ended it, before any verdict."""
    if exit_code == 0:
        return SURVIVED
    if exit_code < 0 or exit_code == 2:
        raise SuiteError(f"pytest was stopped from outside (exit code {exit_code}); run it again")
    failed = re.search(r"^FAIL  (\w+)$", output, re.MULTILINE)
    if failed:
        return f"FAIL {failed[1]}"
    return "UNKNOWN" if re.search(r"^UNKNOWN  ", output, re.MULTILINE) else "error"


def _end(process: subprocess.Popen[str]) -> None:
    # The whole process group, since the run may have started a server or workers.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
