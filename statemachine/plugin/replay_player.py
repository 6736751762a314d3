"""Plays a saved history again in a pytest test, and fails the test unless the failure is mended."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from statemachine.history.events import Event
from statemachine.history.ndjson import Header
from statemachine.plugin.ending import fail, stop
from statemachine.report.failure_reports import report_replay, write_report_page
from statemachine.report.outcome import Outcome
from statemachine.search.triage import script
from statemachine.search.triage.explain import explain
from statemachine.search.triage.replay import ReplayError, ReplayOutcome, replay
from statemachine.world.lane import Lane


class ReplayPlayer:
    """Plays one history on an open lane and fills in its outcome."""

    def __init__(self, config: pytest.Config, outcome: Outcome, lane: Lane) -> None:
        self.config = config
        self.outcome = outcome
        self.asked = outcome.asked
        self.lane = lane

    def play(self, header: Header, events: Sequence[Event]) -> None:
        """Replay; fail the test with a report unless the outcome is FIXED."""
        script.play(self.lane, self.asked.earlier, drained=True)
        try:
            played = self.outcome.replayed = replay(self.lane, header, events)
        except ReplayError as error:
            stop(self.config, f"--replay {self.asked.replay_path}: {error}")
        reproduced = played.outcome is ReplayOutcome.REPRODUCED
        why = explain(self.lane, played.failure) if reproduced and played.failure is not None else None
        reported = report_replay(self.asked, played, why)
        if self.asked.report is not None:
            self.outcome.notes.append(write_report_page(self.asked.report, reported.page))
        if reported.text:
            self.outcome.unshown = reported.unshown
            fail(self.outcome, reported.text, reported.headline)
        self.outcome.vouched = True
