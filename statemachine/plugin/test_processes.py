"""What ``pytest statemachine/ --lane processes`` runs: real workers, really killed."""

from __future__ import annotations

from statemachine.plugin.lanes import ProcessesLane


def test_leased_jobs_survive_kills(processes_lane: ProcessesLane) -> None:
    processes_lane.play()
