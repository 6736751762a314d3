"""The failure report on a narrow terminal and in ASCII: a readable table, word for word, and nothing lost.

``UPDATE_SNAPSHOTS=1 pytest tests/report/text/test_failure_on_paper.py`` writes the snapshots anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from statemachine.report.text.failure import failure_report
from statemachine.report.text.paper import WIDE, Paper
from statemachine.report.text.sheet import Sheet, TableLine
from statemachine.search.triage.explain import Why, explain
from statemachine.search.triage.failure import Failure
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.defects.test_planted import shown
from tests.support.scripts import MINIMAL
from tests.support.snapshots import is_as_it_was

SNAPSHOTS = Path(__file__).parent / "snapshots"
NARROW = Paper(80)
ASCII = Paper(80, "ascii")

IN_FULL = re.compile(r"attempt|lease→[\d.]+|results?|\d+;?")
"""The words of a row in full that a short row says otherwise, or leaves to the steps before."""

LOOKED_AT = (
    "lease_edge_excluded",  # two workers, and an answer too long for its column
    "last_attempt_unfenced",  # three workers
    "expired_jobs_freed_by_prepare",  # two rows after one step
    "second_completion_raises",  # an actual value of 60 characters
    "running_jobs_skipped_at_receive",  # a drain, and times of five digits
)
"""Defects whose reports are hard to get into 80 columns, each in its own way."""


def reported(lane: Lane, failure: Failure, why: Why | None, paper: Paper) -> str:
    return failure_report(
        lane.binding.lifecycle,
        failure,
        why=why,
        reproduce=["pytest statemachine/ --replay=.statemachine/abcde"],
        looked_at="Looked at 47 examples until it was found, after 2.0 s; shrunk 23 → 7 steps in 0.1 s",
        paper=paper,
    )


def found(lane: Lane, defect: str) -> Failure:
    failure = shown(lane, list(MINIMAL[defect]))
    assert failure is not None
    return failure


@pytest.mark.parametrize(("paper", "kind"), [(NARROW, "80"), (ASCII, "ascii")], ids=["80", "ascii"])
@pytest.mark.parametrize("defect", LOOKED_AT)
def test_it_is_word_for_word_as_it_was(defect: str, paper: Paper, kind: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        failure = found(lane, defect)
        report = reported(lane, failure, explain(lane, failure), paper)
    is_as_it_was(report + "\n", SNAPSHOTS / f"{defect}.{kind}.txt")


@pytest.mark.parametrize("defect", sorted(MINIMAL))
def test_every_report_fits_and_no_word_is_lost(defect: str, open_lane: OpenLane) -> None:
    with open_lane(defect) as lane:
        failure = found(lane, defect)
        reports = {
            paper: reported(lane, failure, None, paper)
            for paper in (
                Paper(width, encoding) for width in (80, 87, 93, 100) for encoding in ("utf-8", "ascii")
            )
        }
    # A section of the gate report would send readers to a document that most of them cannot see.
    assert "§" not in reports[WIDE]
    for paper, report in reports.items():
        assert [line for line in report.splitlines() if len(line) > paper.width] == []
        assert paper.encoding != "ascii" or report.isascii()
    # Rows that do not fit in full are shortened: j1 RUNNING #1 →3540.
    lost = set(reports[WIDE].split()) - set(reports[NARROW].split())
    assert {word for word in lost if not IN_FULL.fullmatch(word)} == set()
    assert all("…" not in report for report in reports.values())


BUSY = TableLine(
    "10-11",
    "10800",
    "duplicate m2 → B",
    {"A": "delete (no effect)", "B": "prepare refused", "C": "complete IntegrityError KILLED"},
    ("j10 REVIEW_REQUIRED attempt 2 lease→14340", "j2 gone"),
    ("j10 REVIEW_REQUIRED #2 →14340", "j2 gone"),
    failing=True,
)


@pytest.mark.parametrize("width", [80, 90, 100])
def test_a_line_on_which_all_workers_act_at_once_still_fits(width: int) -> None:
    text = Sheet([BUSY], "ABC", Paper(width)).text()
    assert max(map(len, text)) <= width - 2
    shown = "".join("".join(text).split())
    for letters in ("duplicate", "REVIEW_REQUIRED", "#2", "→14340", "IntegrityError", "KILLED", "refused"):
        assert letters in shown, letters
