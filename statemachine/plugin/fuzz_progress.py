"""Signs of life of a long run: a line that changes on a terminal, a new line now and then in a log."""

from __future__ import annotations

from statemachine.history.words import counted, duration, grouped
from statemachine.plugin.progress import Progress
from statemachine.report.text.paper import WIDE, Paper
from statemachine.search.fuzzing.campaign import Campaign

SHORTEST, LONGEST = 10, 300
"""Seconds between two lines of a log: a sixtieth of the whole time, within these bounds."""


class FuzzProgress:
    """Called about twice a second with the campaign so far."""

    def __init__(self, progress: Progress, seconds: float, paper: Paper) -> None:
        self._progress = progress
        self._paper = paper
        self._between = min(max(seconds / 60, SHORTEST), LONGEST)
        self._next = self._between

    def __call__(self, campaign: Campaign) -> None:
        if self._progress.visible:
            self._progress.show(status(campaign, self._paper))
        elif campaign.elapsed >= self._next:
            self._next = campaign.elapsed + self._between
            self._progress.say(status(campaign, self._paper))


def status(campaign: Campaign, paper: Paper = WIDE) -> str:
    """How far a campaign is, in a line that fits: what matters least is left out first."""
    run, elapsed = campaign.total, campaign.elapsed
    left = max(campaign.asked.seconds - elapsed, 0)
    said = [
        f"{duration(elapsed)}, {duration(left)} left",
        counted(len(campaign.findings), "failure"),
        f"{grouped(len(campaign.situations))} situations, new {duration(elapsed - campaign.last_new)} ago",
        f"{grouped(run.steps / max(elapsed, 1))} steps/s",
        f"{grouped(run.steps)} steps",
    ]
    if run.lost:
        said.insert(2, f"{len(run.lost)} lost")
    line = paper.spelt(" · ".join(said))
    while len(line) > paper.width - 4:
        said.pop()
        line = paper.spelt(" · ".join(said))
    return f"  {line}"
