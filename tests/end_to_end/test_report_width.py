"""The report of a run fits the terminal; tests/report/text/test_failure.py holds it word for word."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import Found
from tests.support.commandline import STRANGER

DEFECTS = ("lease_edge_excluded", "refused_delivery_deletes_message")


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_report_fits_into_100_columns(defect: str, checkout_runs: dict[str, Found]) -> None:
    wide = [line for line in checkout_runs[defect].ran.report if len(line) > 100]
    assert [line for line in wide if not line.startswith("    pytest ")] == []


def test_only_the_commands_of_a_stranger_may_take_more_than_100_columns(runs: dict[str, Found]) -> None:
    # A command that is broken into lines cannot be pasted into every shell.
    report = runs["refused_delivery_deletes_message"].ran.report
    assert [line for line in report if len(line) > 100 and " ".join(STRANGER[:2]) not in line] == []
