"""What ``pytest statemachine/`` runs of the transactions lane: interleaved statements on PostgreSQL."""

from __future__ import annotations

from statemachine.plugin.lanes import PlayedLane


def test_leased_jobs_survive_interleaving(transactions_lane: PlayedLane) -> None:
    transactions_lane.play()
