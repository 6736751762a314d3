"""The plain machine is a fair one: it plays all operations on the same world, and finds what is easy."""

from __future__ import annotations

from statemachine.commands.certificate.baseline import TIMED, plain_machine, search_plainly
from statemachine.search.control import SearchControl
from statemachine.search.engine import sized
from statemachine.search.run import Run, Verdict
from statemachine.world.operations import OPERATIONS
from tests.conftest import OpenLane


def test_it_has_a_rule_for_each_operation_and_its_own_for_time() -> None:
    names = {name for name in vars(plain_machine(7200)) if not name.startswith("_")}
    assert names == {*OPERATIONS, "wait"} - {"advance_to"}
    assert set(TIMED) == {"advance_to", "wait"}


def test_it_finds_what_is_easy_and_does_not_shrink_it(open_lane: OpenLane) -> None:
    # Any lease that is granted shows this one: seeds 0-9 all found it in their first example.
    with open_lane("lease_as_long_as_visibility") as lane:
        run = Run(lane)
        control = SearchControl(run)
        search_plainly(control, 1, sized(200))
    assert run.failure is not None
    assert run.failure.headline.invariant == "a_lease_lasts_its_declared_length"
    assert run.failure == control.failure == control.first_failure


def test_it_is_clean_on_the_correct_system_and_reaches_every_operation(open_lane: OpenLane) -> None:
    with open_lane() as lane:
        run = Run(lane)
        search_plainly(SearchControl(run), 1, sized(40))
    assert run.verdict is Verdict.PASS
    assert run.tally.examples >= 40
    reached = {cell.partition(":")[0] for cell in run.reach.counts}
    assert {"create", "publish", "prepare", "complete", "mark_running", "recover"} <= reached
