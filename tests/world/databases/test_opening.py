"""Whoever has no pytest opens the lane by itself: on a new database, which is gone afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.commandline import REPO, environment
from tests.support.postgresql import names

PLAYED = """
import sys
from django.db import connections
from statemachine.search.triage import script
from statemachine.world.databases.opening import open_interleaved

with open_interleaved(defect="acquired_without_lock", server_url=sys.argv[1], clock_skew_seconds=7) as lane:
    played = script.play(lane, [
        script.Step(1, "create", {"job": "j1", "tenant": "t1"}),
        script.Step(2, "publish", {"job": "j1", "stepwise": True}),
        script.Step(3, "proceed", {"by": "publisher", "statement": "UPDATE ai_job"}),
    ])
    assert played.left_out == {}, played
    print(connections["default"].vendor, lane.clock_skew_seconds, *lane.in_flight, played.failure)
print(connections["default"].vendor)
"""


def test_two_transactions_at_once_are_played_outside_of_pytest(
    postgresql_server: str, tmp_path: Path
) -> None:
    before = names(postgresql_server)
    ran = subprocess.run(
        [sys.executable, "-c", PLAYED, postgresql_server],
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(REPO)}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "postgresql 7 publisher None\nsqlite\n"
    assert names(postgresql_server) == before
