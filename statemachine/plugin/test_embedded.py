"""What ``pytest statemachine/`` runs: the embedded lane, or the replay of a saved history in it."""

from __future__ import annotations

from statemachine.plugin.lanes import LanePlayer


def test_leased_jobs_survive(embedded_lane: LanePlayer) -> None:
    embedded_lane.play()
