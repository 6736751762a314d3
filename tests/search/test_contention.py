"""What the lane's machine offers: all of it can be played, and contention comes before everything else."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from statemachine.history.overlaps import pairs
from statemachine.lifecycle import Lifecycle, Operation
from statemachine.search.contention import Contention, Contest, contests
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import OPERATIONS, STEPWISE, Offer, perform
from statemachine.world.operations.drain import drain
from tests.support.postgresql import OpenTransactions

CONTESTS = [("prepare", "complete"), ("create", "recover"), ("publish", "prepare"), ("fail", "fail")]


def offers(example: Example, contest: Contest) -> list[Offer]:
    seen = Contention(example, contest)
    if len(example.in_flight) >= example.lane.most_in_flight:
        return [offer for name in ("proceed", "kill_in_flight") for offer in OPERATIONS[name].offers(example)]
    return [
        offer
        for operation in OPERATIONS.values()
        for plain in operation.offers(example)
        for offer in seen.ways(operation, plain)
    ]


def after(lane: Lane, *steps: tuple[str, dict[str, object]]) -> Example:
    example = lane.begin()
    for operation, arguments in steps:
        perform(example, operation, arguments)
    return example


LATE = (
    ("create", {"job": "j1", "tenant": "t1"}),
    ("publish", {"job": "j1"}),
    ("receive", {"worker": "A", "message": "m2"}),
    ("prepare", {"worker": "A"}),
    ("duplicate", {"worker": "B", "message": "m2"}),
    ("advance_to", {"deadline": "lease", "of": "j1", "offset": 0}),
)
"""A is at work under an expired lease, and B is about to ask for its job."""
A_BEGINS = ("complete", {"worker": "A", STEPWISE: True})
A_READS = ("proceed", {"by": "A", "statement": "SELECT ai_job FOR UPDATE"})


def share(found: list[Offer], operation: str, **arguments: object) -> float:
    """How likely one of the offers with these arguments is among all of them."""
    meant = [o for o in found if o.operation == operation and arguments.items() <= o.undisturbed.items()]
    return sum(o.whole_weight for o in meant) / sum(o.whole_weight for o in found)


@pytest.mark.parametrize("contest", CONTESTS)
def test_every_offer_can_be_played_and_the_correct_system_passes(
    contest: Contest, open_transactions: OpenTransactions
) -> None:
    played: Counter[str] = Counter()
    with open_transactions() as lane:
        for seed in range(6):
            choose = random.Random(seed)
            example = lane.begin()
            for _ in range(40):
                found = [variant for offer in offers(example, contest) for variant in offer.variants()]
                assert all(offer.weight >= 1 for offer in found)
                weights = [1 if offer.strike else offer.weight for offer in found]
                offer = choose.choices(found, weights)[0]
                perform(example, offer.operation, offer.arguments)
                played[offer.operation] += 1
                assert example.judge.violations == [], f"seed {seed}, step {example.steps}: {offer}"
            drain(example)
            assert example.judge.violations == [], f"seed {seed}, in the drain"
            assert not example.in_flight
    assert played["proceed"] > 30


def test_an_operation_is_stopped_where_a_rival_is_ready(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        alone = offers(after(lane, *LATE[:4]), ("fail", "fail"))
        contended = offers(after(lane, *LATE[:5]), ("fail", "fail"))
        late = offers(after(lane, *LATE), ("fail", "fail"))
    for found, least, most in ((alone, 0.05, 0.3), (contended, 2, 5), (late, 6, 15)):
        stopped = share(found, "complete", worker="A", stepwise=True)
        assert least < stopped / (share(found, "complete", worker="A") - stopped) < most


def test_an_operation_executes_its_first_statement_and_then_its_rival_is_preferred(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions() as lane:
        begun = offers(after(lane, *LATE, A_BEGINS), ("prepare", "complete"))
        read = offers(after(lane, *LATE, A_BEGINS, A_READS), ("prepare", "complete"))
    assert share(begun, "proceed") > 2 * share(begun, "prepare", worker="B")
    assert share(read, "prepare", worker="B") > 10 * share(read, "proceed")


def test_the_new_holder_finishes_before_the_late_one_is_resumed(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions(defect="completed_without_lock") as lane:
        a_reads = ("proceed", {"by": "A", "statement": "SELECT ai_job"})
        read = offers(
            after(lane, *LATE, A_BEGINS, a_reads, ("prepare", {"worker": "B"})), ("create", "create")
        )
    in_the_same_way, otherwise = (share(read, finish, worker="B") for finish in ("complete", "fail"))
    assert in_the_same_way > 1.5 * otherwise > share(read, "proceed")


def test_an_operation_on_another_job_is_not_preferred(
    open_transactions: OpenTransactions,
) -> None:
    other = (("create", {"job": "j9", "tenant": "t2"}), ("publish", {"job": "j9"}))
    with open_transactions() as lane:
        read = offers(
            after(lane, *LATE, *other, ("receive", {"worker": "C", "message": "m8"}), A_BEGINS, A_READS),
            ("prepare", "complete"),
        )
    assert share(read, "prepare", worker="B") > 10 * share(read, "prepare", worker="C")


def test_every_pair_is_a_contest_and_pairs_with_a_sweep_are_repeated() -> None:
    counted = Counter(contests(Lifecycle()))
    assert set(counted) == set(pairs(Lifecycle()))
    assert {counted[pair] for pair in counted if Operation.RECOVER in pair} == {3}
    assert {counted[pair] for pair in counted if Operation.RECOVER not in pair} == {1}


def test_what_was_missed_is_the_only_contest() -> None:
    missed = frozenset({"overlap of publish and release", "lock wait in finish"})
    assert contests(Lifecycle(), missed) == [("publish", "release")]
    assert contests(Lifecycle(), frozenset({"lock wait in finish"})) == contests(Lifecycle())
