"""The page shows what was found and says in words which goals are missed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from statemachine.certificate.catalogue import Planted
from statemachine.certificate.document import COLUMNS, NOTHING, document, table
from statemachine.certificate.hunt import Finding
from statemachine.certificate.rows import Row, misses
from tests.certificate.literal import CERTIFICATE, EDGE, finding, row

NOT_FOUND = finding(103, None, examples=2100, seconds=60.0, shrunk=0)


def test_a_row_has_medians_worst_figures_and_the_plain_machine() -> None:
    hunted = [
        finding(100, examples=10, seconds=0.5, shrunk=7),
        finding(101, examples=30, seconds=2.5, shrunk=8),
        finding(102, examples=20, seconds=1.0, shrunk=7),
    ]
    header, rule, line = table([row(*hunted)])
    assert header.count("|") == rule.count("|") == line.count("|") == len(COLUMNS) + 1
    assert line == (
        "| edge_excluded | an_expired_lease_can_be_taken_over | 3/3 | 20 / 30 | 1.0 / 2.5 | 30 / 30 | 7 / 8 "
        "| 7 | 1/2 (300) |"
    )


def test_what_was_never_found_has_no_figures() -> None:
    line = list(table([Row(EDGE, [NOT_FOUND])]))[-1]
    cells = line.strip("| ").split(" | ")
    assert cells == [EDGE.name, EDGE.invariant, "0/1", *[NOTHING] * 4, "7", NOTHING]


@dataclass(frozen=True)
class Missing:
    """Findings that miss a goal, a near miss that meets it, and the words that tell them apart."""

    miss: list[Finding]
    near: list[Finding]
    words: str
    planted: Planted = EDGE


MISSES = {
    "not found": Missing([finding(), NOT_FOUND], [finding()], "is found on 1 of 2 seeds; not on 103."),
    "slow": Missing(
        [finding(seconds=5.0), finding(101, seconds=5.0), finding(102, seconds=0.1)],
        [finding(seconds=4.9), finding(101, seconds=4.9), finding(102, seconds=60.0)],
        "takes 5.0 s in the median; the goal is under 5 s.",
    ),
    "long": Missing(
        [finding(shrunk=7), finding(104, shrunk=9)],
        [finding(shrunk=7), finding(104, shrunk=8)],
        "is shrunk to 9 steps on seed 104; by hand it takes 7,",
    ),
    "caught by another": Missing(
        [finding(invariant="every_job_ends")],
        [finding()],
        "is caught by `every_job_ends` on 1 of 1 seeds, not by `an_expired_lease_can_be_taken_over`.",
    ),
}


@pytest.mark.parametrize("case", MISSES.values(), ids=MISSES)
def test_a_missed_goal_is_told_and_a_near_miss_is_not(case: Missing) -> None:
    (told,) = misses(Row(case.planted, case.miss))
    assert told.startswith(f"`edge_excluded` {case.words}")
    assert list(misses(Row(case.planted, case.near))) == []


def test_without_a_history_by_hand_the_length_cannot_be_judged() -> None:
    (told,) = misses(Row(EDGE._replace(by_hand=None), [finding()]))
    assert "has no history written by hand" in told


def test_the_page_lists_misses_and_other_lanes_and_carries_its_figures() -> None:
    elsewhere = Row(Planted("two_transactions", "one_holder_at_a_time", "transactions"))
    page = document(CERTIFICATE, [row(finding(), NOT_FOUND), elsewhere], "measure it")
    assert "**44 of 45 defects on 20 of 20 seeds.**" in page
    assert "2026-11-22, commit abc1234, with Hypothesis 6.170.15:\n\n    measure it\n" in page
    assert "Missed:\n\n- `edge_excluded` is found on 1 of 2 seeds; not on 103.\n" in page
    assert "- `two_transactions` (transactions lane): `one_holder_at_a_time`" in page
    assert "two_transactions" not in page.partition("## Goals")[0]
    assert re.search(r'^<!-- certificate: \{.*"found": 44, "measured": 45.*\} -->$', page, re.M)


def test_a_page_without_misses_says_so() -> None:
    page = document(CERTIFICATE, [row(finding())], "measure it")
    assert "No goal is missed." in page
    assert "Missed:" not in page


def test_another_claim_is_marked_in_the_table() -> None:
    lines = list(table([row(finding(invariant="every_job_ends"), finding(101))]))
    assert "| an_expired_lease_can_be_taken_over¹ | 2/2 |" in lines[2]
    assert lines[-1].startswith("¹ ")
