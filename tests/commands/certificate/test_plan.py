"""The hunts of a certificate: every defect and seed once, those of the baseline last."""

from __future__ import annotations

from pathlib import Path

from statemachine.commands.certificate.catalogue import TRANSACTIONS, Planted
from statemachine.commands.certificate.hunt import INTERLEAVED, PLAIN, SEARCH, HuntResult, HuntResults
from statemachine.commands.certificate.measuring import Share
from statemachine.commands.certificate.plan import HuntPlan, Measured
from tests.commands.certificate.literal import EDGE, RACE

OTHER = Planted("another", "every_job_ends")
ELSEWHERE = Planted("dies_in_two_processes", "every_job_ends", "processes")
PLAN = HuntPlan(
    "system:Binding",
    [EDGE, OTHER, RACE, ELSEWHERE],
    {SEARCH: range(100, 103), PLAIN: range(100, 101), INTERLEAVED: range(100, 102)},
    {SEARCH: 2000, PLAIN: 2000, INTERLEAVED: 400},
    Measured({}, {}, {}, {}, {}, []),
)


def test_each_defect_is_hunted_in_its_lane_and_the_machines_come_first() -> None:
    assert [(hunt.method, hunt.defect, hunt.seed, hunt.examples) for hunt in PLAN.hunts()] == [
        *(("search", "edge_excluded", seed, 2000) for seed in (100, 101, 102)),
        *(("search", "another", seed, 2000) for seed in (100, 101, 102)),
        *(("interleaved", "two_transactions", seed, 400) for seed in (100, 101)),
        ("plain", "edge_excluded", 100, 2000),
        ("plain", "another", 100, 2000),
    ]


def test_a_lane_that_cannot_be_played_has_no_hunts() -> None:
    hunts = PLAN.hunts()
    assert PLAN.hunts((TRANSACTIONS,)) == [hunt for hunt in hunts if hunt.defect != "two_transactions"]


def test_shards_share_out_all_hunts_without_overlap() -> None:
    hunts = PLAN.hunts()
    shares = [list(Share(number, 3).of(hunts)) for number in (1, 2, 3)]
    assert sorted(len(share) for share in shares) == [3, 3, 4]
    assert sorted(hunt for share in shares for hunt in share) == sorted(hunts)


def test_another_number_of_examples_is_another_measurement() -> None:
    fewer = {SEARCH: 1999, PLAIN: 1999, INTERLEAVED: 399}
    assert set(PLAN.hunts()).isdisjoint(PLAN._replace(examples=fewer).hunts())


def test_rows_hold_what_was_found_so_far_and_list_other_lanes(tmp_path: Path) -> None:
    findings = HuntResults(tmp_path, "findings.jsonl")
    hunts = PLAN.hunts()
    for hunt in (*hunts[:4], hunts[6]):
        findings.add(HuntResult(hunt, None, 2000, 60.0, 0, 0, 0, "6.170.15"))
    edge, another, race, elsewhere = PLAN.rows(findings)
    assert (len(edge.searched), len(edge.plain)) == (3, 0)
    assert (len(another.searched), len(another.plain)) == (1, 0)
    assert (len(race.searched), len(race.plain), race.played) == (1, 0, True)
    assert (elsewhere.planted, elsewhere.played, elsewhere.always_found) == (ELSEWHERE, False, False)


def test_a_lane_that_is_half_measured_and_cannot_be_played_has_no_row(tmp_path: Path) -> None:
    findings = HuntResults(tmp_path, "findings.jsonl")
    for hunt in PLAN.hunts()[:7]:
        findings.add(HuntResult(hunt, "every_job_ends", 2000, 60.0, 9, 9, 1, "6.170.15"))
    edge, _, race, _ = PLAN.rows(findings, (TRANSACTIONS,))
    assert (len(edge.searched), race.searched, race.played) == (3, [], False)
