"""The page shows what was found and says in words which goals are missed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from statemachine.commands.certificate.catalogue import Planted
from statemachine.commands.certificate.citation import LaneFigures
from statemachine.commands.certificate.document import COLUMNS, NOTHING, document, table
from statemachine.commands.certificate.hunt import HuntResult
from statemachine.commands.certificate.rows import Row, misses
from tests.commands.certificate.literal import CERTIFICATE, EDGE, RACE, finding, interleaved, row

NOT_FOUND = finding(103, None, examples=2100, seconds=60.0, shrunk=0)


def test_a_row_has_medians_worst_figures_and_the_plain_machine() -> None:
    hunted = [
        finding(100, examples=10, seconds=0.5, shrunk=7),
        finding(101, examples=30, seconds=2.5, shrunk=8),
        finding(102, examples=20, seconds=1.0, shrunk=7),
    ]
    header, rule, line = table([row(*hunted)])
    assert header.count("|") == rule.count("|") == line.count("|") == len(COLUMNS) + 2
    assert line == (
        "| edge_excluded | an_expired_lease_can_be_taken_over | 3/3 | 20 / 30 | 1.0 / 2.5 | 30 / 30 | 7 / 8 "
        "| 7 | 1/2 (300) |"
    )


def test_what_was_never_found_has_no_figures() -> None:
    line = list(table([Row(EDGE, [NOT_FOUND])]))[-1]
    cells = line.strip("| ").split(" | ")
    assert cells == [EDGE.name, EDGE.invariant, "0/1", *[NOTHING] * 4, "7"]


def test_where_the_plain_machine_was_not_measured_it_has_no_column() -> None:
    page = document(CERTIFICATE, [Row(EDGE, [finding()])], "measure it")
    assert "lain machine" not in page
    both = list(table([Row(EDGE, [finding()]), row(finding())]))
    assert both[0].endswith("| plain machine |")
    assert both[2].endswith(f"| {NOTHING} |")


@dataclass(frozen=True)
class Missing:
    """Results that miss a goal, others that just meet it, and the words about the first."""

    miss: list[HuntResult]
    near: list[HuntResult]
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
    "unstable": Missing(
        [finding(shrunk=40)._replace(unstable=True), finding(101)],
        [finding(), finding(101)],
        "did not repeat on seed 100, and was not shrunk there: the same steps had another outcome.",
    ),
    "caught by another": Missing(
        [finding(invariant="every_job_ends")],
        [finding()],
        "is caught by `every_job_ends` on 1 of 1 seeds, not by `an_expired_lease_can_be_taken_over`.",
    ),
}


@pytest.mark.parametrize("case", MISSES.values(), ids=MISSES)
def test_a_missed_goal_gets_a_sentence_and_a_goal_just_met_does_not(case: Missing) -> None:
    (sentence,) = misses(Row(case.planted, case.miss))
    assert sentence.startswith(f"`edge_excluded` {case.words}")
    assert list(misses(Row(case.planted, case.near))) == []


def test_without_a_history_by_hand_the_length_cannot_be_judged() -> None:
    (sentence,) = misses(Row(EDGE._replace(by_hand=None), [finding()]))
    assert "has no history written by hand" in sentence


def test_the_page_lists_misses_and_other_lanes_and_carries_its_figures() -> None:
    page = document(CERTIFICATE, [row(finding(), NOT_FOUND), Row(RACE)], "measure it")
    assert "**44 of 45 defects on 20 of 20 seeds.**" in page
    assert "2026-11-22, commit abc1234, with Hypothesis 6.170.15:\n\n    measure it\n" in page
    assert "Missed:\n\n- `edge_excluded` is found on 1 of 2 seeds; not on 103.\n" in page
    assert "\n\nListed and not played here:\n\n- `two_transactions` (transactions lane): `one_h" in page
    assert "two_transactions" not in page.partition("## Goals")[0]
    figures = r'^<!-- certificate: \{.*"found": 44, "measured": 45, "transactions": null\} -->$'
    assert re.search(figures, page, re.M)


BOTH = CERTIFICATE._replace(transactions=LaneFigures(1, 2, 400))
LATE = Row(Planted("late", "every_job_ends", "processes"))


def test_the_other_lane_has_its_own_table_with_its_own_goals() -> None:
    race = Row(RACE, [interleaved(100, shrunk=9), interleaved(101, shrunk=12, seconds=30.0)])
    page = document(BOTH, [row(finding()), race, LATE], "measure it")
    assert page.splitlines()[2:4] == [
        "**44 of 45 defects in the embedded lane, 1 of 2 in the transactions lane on 20 of 20 seeds.**",
        "Measured on 2026-11-22, commit abc1234, with Hypothesis 6.170.15:",
    ]
    whole, _, other = page.partition("\n## Defects that the embedded lane cannot see\n")
    assert "two_transactions" not in whole
    assert "No goal is missed." in whole
    words = " ".join(other.split())
    assert (
        "on PostgreSQL 17.4: each defect and seed is a search of its own on a new database, of 400 ex"
        in words
    )
    assert other.partition("\n\n| ")[2].partition("\n\n")[0].splitlines() == [
        "defect | invariant | found | examples | seconds | steps found | shrunk | by hand |",
        "|---|---|---|---|---|---|---|---|",
        "| two_transactions | one_holder_at_a_time | 2/2 | 12 / 12 | 15.5 / 30.0 | 40 / 40 | 10 / 12 | 9 |",
    ]
    assert "and shrunk to no more than 2 steps above the history by hand." in words
    assert other.partition("Missed:\n\n")[2].partition("\n\n")[0] == (
        "- `two_transactions` is shrunk to 12 steps on seed 101; by hand it takes 9, and the goal is two "
        "more at most."
    )
    assert other.partition("Listed and ")[2].startswith(
        "not played here:\n\n- `late` (processes lane): `every"
    )
    figures = (
        r'"found": 44, "measured": 45, "transactions": \{"found": 1, "measured": 2, "examples": 400\}\} -->$'
    )
    assert re.search(figures, page, re.M)


def test_the_goals_of_the_other_lane_are_two_steps_more_and_no_seconds() -> None:
    assert list(misses(Row(RACE, [interleaved(shrunk=11, seconds=60.0)]))) == []
    (sentence,) = misses(Row(RACE, [interleaved(shrunk=12)]))
    assert sentence.startswith("`two_transactions` is shrunk to 12 steps on seed 100;")
    (sentence,) = misses(Row(RACE, [interleaved(), interleaved(101, None)]))
    assert sentence == "`two_transactions` is found on 1 of 2 seeds; not on 101."
    assert list(misses(Row(RACE))) == []


def test_where_it_was_not_played_the_page_says_how_to_get_a_server() -> None:
    page = document(
        CERTIFICATE, [row(finding()), Row(RACE), LATE], "measure it", "the lane needs a PostgreSQL"
    )
    _, _, other = page.partition("\n## Defects that the embedded lane cannot see\n")
    assert other.startswith(
        "\nListed and not played here, since the lane needs a PostgreSQL:\n\n"
        "- `two_transactions` (transactions lane): `one_holder_at_a_time`\n\n"
        "Listed and not played here:\n\n- `late` (processes lane): `every_job_ends`\n"
    )


def test_a_page_of_the_other_lane_alone_has_one_table() -> None:
    alone = BOTH._replace(found=0, measured=0)
    page = document(alone, [Row(RACE, [interleaved()])], "measure it")
    assert page.splitlines()[2] == "**1 of 2 defects in the transactions lane on 20 of 20 seeds.**"
    assert "2,000 examples" not in page
    assert "Plain machine" not in page
    assert page.count("| defect |") == 1


def test_a_page_without_misses_says_so() -> None:
    page = document(CERTIFICATE, [row(finding())], "measure it")
    assert "No goal is missed." in page
    assert "Missed:" not in page


def test_another_claim_is_marked_in_the_table() -> None:
    lines = list(table([row(finding(invariant="every_job_ends"), finding(101))]))
    assert "| an_expired_lease_can_be_taken_over¹ | 2/2 |" in lines[2]
    assert lines[-1].startswith("¹ ")
