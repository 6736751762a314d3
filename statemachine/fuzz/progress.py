"""Signs of life of a long run: a line that changes on a terminal, a new line now and then in a log."""

from __future__ import annotations

from statemachine.fuzz.campaign import Campaign
from statemachine.fuzz.duration import told
from statemachine.invariants.claim import times
from statemachine.progress import Progress
from statemachine.report.summary import grouped

SHORTEST, LONGEST = 10, 300
"""Seconds between two lines of a log: a sixtieth of the whole time, within these bounds."""


class FuzzProgress:
    """Called about twice a second with the campaign so far."""

    def __init__(self, progress: Progress, seconds: float) -> None:
        self._progress = progress
        self._between = min(max(seconds / 60, SHORTEST), LONGEST)
        self._next = self._between

    def __call__(self, campaign: Campaign) -> None:
        if self._progress.visible:
            self._progress.show(status(campaign))
        elif campaign.elapsed >= self._next:
            self._next = campaign.elapsed + self._between
            self._progress.say(status(campaign))


def status(campaign: Campaign) -> str:
    """How far a campaign is, in a line."""
    run, elapsed = campaign.total, campaign.elapsed
    left = max(campaign.asked.seconds - elapsed, 0)
    said = [
        f"{told(elapsed)}, {told(left)} left",
        f"{grouped(run.steps)} steps, {grouped(run.steps / max(elapsed, 1))} steps/s",
        f"{grouped(len(campaign.situations))} situations, new {told(elapsed - campaign.last_new)} ago",
        times(len(campaign.findings), "failure"),
    ]
    if run.lost:
        said.append(f"{len(run.lost)} lost")
    return "  " + " · ".join(said)
