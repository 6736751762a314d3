"""The failure report, word for word, of every hand-written history: its layout is part of what we promise.

``UPDATE_SNAPSHOTS=1 pytest tests/planted/test_report.py`` writes the snapshots anew; read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from statemachine.explain import explain
from statemachine.report.text import failure_report
from statemachine.run import Failure
from tests.conftest import OpenLane
from tests.planted.scripts import MINIMAL
from tests.planted.test_planted import DEFECTS, play

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_report_is_word_for_word_as_it_was(defect: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        failure = Failure.of(play(lane, list(MINIMAL[defect])))
        assert failure is not None
        folder = ".statemachine/abcde"
        report = failure_report(
            lane.binding.lifecycle,
            failure,
            why=explain(lane, failure),
            reproduce=[
                f"pytest statemachine/ --defect {defect} --replay {folder}",
                "or, as a plain test without Hypothesis,",
                f"pytest --defect {defect} {folder}/test_regression.py",
            ],
            looked_at="Looked at 47 examples until it was found, after 2.0 s; shrunk 23 → 7 steps in 0.1 s",
        )
    snapshot = SNAPSHOTS / f"{defect}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(report + "\n", encoding="utf-8", newline="\n")
    assert report.splitlines() == snapshot.read_text("utf-8").splitlines()
    assert [line for line in report.splitlines() if len(line) > 100] == []
