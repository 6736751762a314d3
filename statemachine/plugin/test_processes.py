"""What ``pytest statemachine/ --lane processes`` runs: real workers, really killed."""

from __future__ import annotations

from statemachine.plugin.processes_player import ProcessesPlayer


def test_leased_jobs_survive_kills(processes_lane: ProcessesPlayer) -> None:
    processes_lane.play()
