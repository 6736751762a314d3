"""Signs of life of a long run: a line that changes on a terminal, a new line now and then in a log."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from statemachine.history.words import counted, duration, grouped
from statemachine.report.text.paper import WIDE, Paper
from statemachine.search.control import SearchControl
from statemachine.search.fuzzing.campaign import FuzzCampaign
from statemachine.search.tally import Part
from statemachine.world.clock import real_seconds

SECONDS_BETWEEN = 0.5
SHORTEST, LONGEST = 10, 300
"""Seconds between two lines of a log: a sixtieth of the whole time, within these bounds."""


class Progress:
    """Called after every step of a search; draws about twice a second."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self.visible = self._reporter is not None and self._reporter.isatty
        self._next = 0.0
        self._drawn = False

    def __call__(self, control: SearchControl) -> None:
        if not self.visible:
            return
        now = real_seconds()
        if now < self._next:
            return
        self._next = now + SECONDS_BETWEEN
        self._draw(f"  {searched(control)}")

    def show(self, text: str) -> None:
        """Show a line of text until the next one."""
        if self.visible:
            self._draw(text)

    def say(self, text: str) -> None:
        """Print a line that stays, also where there is no terminal."""
        if self._reporter is not None:
            with self._uncaptured():
                self._reporter.ensure_newline()
                self._reporter.write_line(text)

    def clear(self) -> None:
        """Erase the line, so that what is written next begins on an empty one."""
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


def searched(control: SearchControl) -> str:
    """Return how far a run with the search ``control`` is, in a line."""
    tally = control.run.tally
    speed = tally.steps / max(control.run.seconds_of(Part.SEARCH), 0.001)
    before = tally.examples - control.examples  # those of the searches that are over
    of_all = "" if control.planned is None else f" of {before + control.planned}"
    return f"{tally.examples}{of_all} examples, {tally.steps} steps, {speed:.0f} steps/s"


class FuzzProgress:
    """Called about twice a second with the campaign so far."""

    def __init__(self, progress: Progress, seconds: float, paper: Paper) -> None:
        self._progress = progress
        self._paper = paper
        self._between = min(max(seconds / 60, SHORTEST), LONGEST)
        self._next = self._between

    def __call__(self, campaign: FuzzCampaign) -> None:
        if self._progress.visible:
            self._progress.show(status(campaign, self._paper))
        elif campaign.elapsed >= self._next:
            self._next = campaign.elapsed + self._between
            self._progress.say(status(campaign, self._paper))


def status(campaign: FuzzCampaign, paper: Paper = WIDE) -> str:
    """Return how far a campaign is, in a line that fits: what matters least is left out first."""
    tally, elapsed = campaign.total.tally, campaign.elapsed
    left = max(campaign.asked.seconds - elapsed, 0)
    said = [
        f"{duration(elapsed)}, {duration(left)} left",
        counted(len(campaign.findings), "failure"),
        f"{grouped(len(campaign.situations))} situations, new {duration(elapsed - campaign.last_new)} ago",
        f"{grouped(tally.steps / max(campaign.total.seconds_of(Part.SEARCH), 1))} steps/s",
        f"{grouped(tally.steps)} steps",
    ]
    if tally.lost:
        said.insert(2, f"{len(tally.lost)} lost")
    line = paper.spelt(" · ".join(said))
    while len(line) > paper.width - 4:
        said.pop()
        line = paper.spelt(" · ".join(said))
    return f"  {line}"
