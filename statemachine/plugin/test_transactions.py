"""What ``pytest statemachine/`` runs of the transactions lane: interleaved statements on PostgreSQL."""

from __future__ import annotations

from statemachine.plugin.lanes import LanePlayer


def test_leased_jobs_survive_interleaving(transactions_lane: LanePlayer) -> None:
    transactions_lane.play()
