"""One line on a terminal that says that the search is alive; where no terminal is, nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from hypothesis import settings

from statemachine.search.run import Run
from statemachine.world.clock import real_seconds

SECONDS_BETWEEN = 0.5


class Progress:
    """Called after every step with the run so far; draws about twice a second."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self.visible = self._reporter is not None and self._reporter.isatty
        self._next = 0.0
        self._drawn = False

    def __call__(self, run: Run) -> None:
        if not self.visible:
            return
        now = real_seconds()
        if now < self._next:
            return
        self._next = now + SECONDS_BETWEEN
        speed = run.steps / (now - run.started)
        most = run.most_examples or settings().max_examples
        self._draw(f"  {run.examples} of {most} examples, {run.steps} steps, {speed:.0f} steps/s")

    def show(self, text: str) -> None:
        """A sign of life in other words."""
        if self.visible:
            self._draw(text)

    def say(self, text: str) -> None:
        """A line that stays, also where no terminal is."""
        if self._reporter is not None:
            with self._uncaptured():
                self._reporter.ensure_newline()
                self._reporter.write_line(text)

    def clear(self) -> None:
        """Leave an empty line to whoever writes next."""
        if self._drawn:
            self._draw("")
            self._reporter.write("\r")

    def _draw(self, text: str) -> None:
        with self._uncaptured():
            if not self._drawn:
                self._reporter.ensure_newline()
            self._drawn = True
            self._reporter.rewrite(text, erase=True)

    def _uncaptured(self) -> AbstractContextManager[None]:
        return self._capture.global_and_fixture_disabled() if self._capture else nullcontext()
