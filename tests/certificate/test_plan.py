"""Which hunts a certificate is made of: every defect and seed once, the machine's first."""

from __future__ import annotations

from pathlib import Path

from statemachine.certificate.catalogue import Planted
from statemachine.certificate.command import Shard
from statemachine.certificate.findings import Findings
from statemachine.certificate.hunt import PLAIN, SEARCH, Finding
from statemachine.certificate.plan import Measured, Plan
from tests.certificate.literal import EDGE

OTHER = Planted("another", "every_job_ends")
ELSEWHERE = Planted("two_transactions", "one_holder_at_a_time", "transactions")
PLAN = Plan(
    "system:Binding",
    [EDGE, OTHER, ELSEWHERE],
    {SEARCH: range(100, 103), PLAIN: range(100, 101)},
    2000,
    Measured({}, {}, {}, {}, []),
)


def test_the_machine_comes_first_and_other_lanes_do_not_come() -> None:
    assert [(hunt.method, hunt.defect, hunt.seed) for hunt in PLAN.hunts()] == [
        *(("search", "edge_excluded", seed) for seed in (100, 101, 102)),
        *(("search", "another", seed) for seed in (100, 101, 102)),
        ("plain", "edge_excluded", 100),
        ("plain", "another", 100),
    ]


def test_shards_share_out_all_hunts_without_overlap() -> None:
    hunts = PLAN.hunts()
    shares = [list(Shard(number, 3).of(hunts)) for number in (1, 2, 3)]
    assert sorted(len(share) for share in shares) == [2, 3, 3]
    assert sorted(hunt for share in shares for hunt in share) == sorted(hunts)


def test_another_number_of_examples_is_another_measurement() -> None:
    assert set(PLAN.hunts()).isdisjoint(PLAN._replace(examples=1999).hunts())


def test_rows_hold_what_was_found_so_far_and_list_other_lanes(tmp_path: Path) -> None:
    findings = Findings(tmp_path, "findings.jsonl")
    for hunt in PLAN.hunts()[:4]:
        findings.add(Finding(hunt, None, 2000, 60.0, 0, 0, 0, "6.170.15"))
    edge, another, elsewhere = PLAN.rows(findings)
    assert (len(edge.searched), len(edge.plain)) == (3, 0)
    assert (len(another.searched), len(another.plain)) == (1, 0)
    assert elsewhere.planted == ELSEWHERE
    assert not elsewhere.always_found
