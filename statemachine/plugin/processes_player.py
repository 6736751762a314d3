"""Plays the lane of real processes in a pytest test.

In a process of its own: the clock of this one is frozen, and its Django has no database file.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from statemachine.plugin.ending import fail, stop
from statemachine.plugin.progress import Progress
from statemachine.report.console import MISUSED
from statemachine.report.outcome import Outcome


class ProcessesPlayer:
    """Runs ``python -m statemachine processes`` and fills in the outcome of its lane."""

    def __init__(self, config: pytest.Config, outcome: Outcome) -> None:
        self.config = config
        self.outcome = outcome
        self.progress = Progress(config)

    def play(self) -> None:
        """Run it; fail the test with what it says unless its verdict is PASS."""
        command = [sys.executable, "-m", "statemachine", *self.outcome.asked.processes_options()]
        lines: list[str] = []
        code = self._run(command, lines)
        said = f"{' '.join(command[1:])} said nothing (exit code {code})"
        if code == MISUSED:
            stop(self.config, lines[-1] if lines else said)
        if code:
            headline = lines[-1] if lines else f"FAIL  {said}"
            self.outcome.unshown = lines
            fail(self.outcome, "\n".join(lines) or headline, headline)
        self.outcome.output = lines
        self.outcome.vouched = True

    def _run(self, command: list[str], lines: list[str]) -> int:
        """Run ``command``, add each line that it prints to ``lines``, and return its exit code."""
        paper = self.outcome.asked.paper
        environment = {"COLUMNS": str(paper.width), "PYTHONIOENCODING": paper.encoding}
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding=paper.encoding,
            env={**os.environ, **environment},
        ) as process:
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip("\n"))
                    self.progress.show(lines[-1])
                return process.wait()
            except BaseException:
                # It stops its workers then, and is waited for.
                process.terminate()
                raise
            finally:
                self.progress.clear()
