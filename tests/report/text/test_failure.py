"""The failure report, word for word, of every hand-written history: its layout is part of what we promise.

``UPDATE_SNAPSHOTS=1 pytest tests/report/text/test_failure.py`` writes the snapshots anew; read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from statemachine.report.text.failure import failure_report
from statemachine.report.text.steps import table
from statemachine.search.triage.explain import explain
from tests.conftest import OpenLane
from tests.defects.test_planted import play, shown
from tests.support.scripts import MINIMAL, TOLD, script
from tests.support.snapshots import is_as_it_was

SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_a_step_that_only_moves_a_clock_or_a_message_has_a_line_too(open_lane: OpenLane) -> None:
    steps = script(
        ("skew_clock", {"worker": "B", "seconds": -30}),
        ("send_malformed", {}),
        ("receive", {"worker": "A", "message": "m2", "fault": "kill_after_port_call"}),
    )
    with open_lane() as lane:
        example = play(lane, steps)
        lines = table(lane.binding.lifecycle, example.events, None)
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "1 0 clock of B -30 s",
        "2 0 malformed message → m2",
        "3 0 deliver m2 → A receive KILLED",
    ]


def test_times_are_written_out_with_all_their_digits(open_lane: OpenLane) -> None:
    # With six digits, as by :g, the first would be 1.2096e+06 and the second like it.
    with open_lane() as lane:
        example = play(lane, script(("wait", {"seconds": 1209600}), ("wait", {"seconds": 0.25})))
        lines = table(lane.binding.lifecycle, example.events, None)
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "1 ─ 1209600 s pass, now 1209600 ─",
        "2 ─ 0.25 s pass, now 1209600.25 ─",
    ]


@pytest.mark.parametrize("defect", TOLD)
def test_the_report_is_word_for_word_as_it_was(defect: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        failure = shown(lane, list(MINIMAL[defect]))
        assert failure is not None
        folder = ".statemachine/abcde"
        report = failure_report(
            lane.binding.lifecycle,
            failure,
            why=explain(lane, failure),
            reproduce=[
                f"pytest statemachine/ --defect {defect} --replay={folder}",
                "or, to stop where it breaks,",
                f"pytest statemachine/ --defect {defect} --replay={folder} --pdb",
                f"{folder}/test_regression.py   (a plain test for your own suite)",
            ],
            looked_at="Looked at 47 examples until it was found, after 2.0 s; shrunk 23 → 7 steps in 0.1 s",
        )
    is_as_it_was(report + "\n", SNAPSHOTS / f"{defect}.txt")
    # A command that is broken into lines cannot be pasted into every shell.
    laid_out = [line for line in report.splitlines() if not line.startswith("    pytest ")]
    assert [line for line in laid_out if len(line) > 100] == []
