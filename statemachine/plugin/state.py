"""What the plugin knows in one pytest process: what was asked for, and what came of each lane so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from statemachine.report.asked import Asked
from statemachine.report.outcome import Outcome


@dataclass
class PluginState:
    """Kept in the configuration of pytest, under :data:`STATE`."""

    asked: Asked
    database: str = ""
    """What Django's databases are, in words; known once they were made the run's own."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By lane, in the order in which they were played."""
    notes: list[str] = field(default_factory=list)
    """Lines for the end that belong to no lane."""
    refused: str = ""
    """Why a worker of pytest-xdist could not go on."""

    def begin(self, lane: str) -> Outcome:
        """Return the outcome of a lane that is about to be played."""
        outcome = self.outcomes[lane] = Outcome(self.asked.of_lane(lane))
        return outcome


STATE = pytest.StashKey[PluginState]()
