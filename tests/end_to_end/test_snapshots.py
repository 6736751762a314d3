"""The failure report, word for word, for two defects: its layout is part of what we promise.

``UPDATE_SNAPSHOTS=1 pytest tests/end_to_end/test_snapshots.py`` writes them anew; read the diff.
Only what depends on the machine, or on the random stream of this Hypothesis version, is replaced.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.end_to_end.commandline import STRANGER
from tests.end_to_end.conftest import Found

SNAPSHOTS = Path(__file__).parent / "snapshots"
DEFECTS = ("lease_edge_excluded", "refused_delivery_deletes_message")

REPLACED = (
    (r"\b\d+(?:\.\d+)? s(?=[;.]|$)", "N s"),
    (r"Looked at \d+ examples", "Looked at N examples"),
    (r"shrunk \d+ →", "shrunk N →"),
    (r"\.statemachine/\w+", ".statemachine/FOLDER"),
)


def normalised(report: list[str]) -> str:
    """The report with placeholders in its last line and in the command; all other figures stay."""
    lines = []
    for line in report:
        if line.startswith(("  Looked at", "    pytest ")):
            for pattern, placeholder in REPLACED:
                line = re.sub(pattern, placeholder, line)
        lines.append(line + "\n")
    return "".join(lines)


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_report_is_word_for_word_as_it_was(defect: str, checkout_runs: dict[str, Found]) -> None:
    snapshot = SNAPSHOTS / f"{defect}.txt"
    seen = normalised(checkout_runs[defect].ran.report)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(seen, encoding="utf-8", newline="\n")
    assert seen.splitlines() == snapshot.read_text("utf-8").splitlines()


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_report_fits_into_100_columns(defect: str, checkout_runs: dict[str, Found]) -> None:
    assert [line for line in checkout_runs[defect].ran.report if len(line) > 100] == []


def test_what_is_replaced_is_little() -> None:
    line = "  Looked at 47 examples until it was found, after 2.0 s; shrunk 23 → 7 steps in 0.1 s"
    assert normalised([line]) == (
        "  Looked at N examples until it was found, after N s; shrunk N → 7 steps in N s\n"
    )
    assert normalised(["  At step 7 (3540 s)    expected"]) == "  At step 7 (3540 s)    expected\n"


def test_only_the_command_of_a_stranger_may_take_more_than_100_columns(runs: dict[str, Found]) -> None:
    # A command that is broken into lines cannot be pasted into every shell.
    report = runs["refused_delivery_deletes_message"].ran.report
    assert [line for line in report if len(line) > 100 and " ".join(STRANGER) not in line] == []
