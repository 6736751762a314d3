"""Pairs of situations: what came after what on the same job, and never across jobs or examples."""

from __future__ import annotations

from statemachine.history.ledger import Ledger
from statemachine.history.reach import Reach
from statemachine.history.situation_pairs import PairedReach, pairs_of
from statemachine.lifecycle import Lifecycle
from statemachine.search.triage.script import play
from statemachine.world.lane import Lane
from tests.support.scripts import script

TWO_JOBS = script(
    ("create", {"job": "j1", "tenant": "t1"}),
    ("create", {"job": "j2", "tenant": "t1"}),
    ("publish", {"job": "j1"}),
    ("publish", {"job": "j2"}),
)
FIRST = ("nothing", "create: new id")
PUBLISHED = ("create: new id", "publish: PENDING, unpublished")


def test_a_pair_is_of_one_job(lane: Lane) -> None:
    events = play(lane, TWO_JOBS).example.events
    assert pairs_of(lane.binding.lifecycle, events) == {FIRST, PUBLISHED}


def test_a_new_example_begins_with_nothing(lane: Lane) -> None:
    events = play(lane, TWO_JOBS[:1]).example.events
    reach = PairedReach(lane.binding.lifecycle)
    for _ in range(2):
        ledger = Ledger(lane.binding.lifecycle)
        for event in events:
            ledger.apply(event)
            reach.take(ledger, event)
    assert reach.pairs == {FIRST}
    assert reach.counts["create: new id"] == 2


def test_cells_are_counted_as_ever(lane: Lane) -> None:
    events = play(lane, TWO_JOBS).example.events
    plain, paired = Reach(lane.binding.lifecycle), PairedReach(lane.binding.lifecycle)
    for reach in (plain, paired):
        ledger = Ledger(lane.binding.lifecycle)
        for event in events:
            ledger.apply(event)
            reach.take(ledger, event)
    assert plain.counts == paired.counts


def test_a_drain_meets_nothing(lane: Lane) -> None:
    assert pairs_of(lane.binding.lifecycle, play(lane, [], drained=True).example.events) == set()
    assert pairs_of(Lifecycle(), []) == set()
