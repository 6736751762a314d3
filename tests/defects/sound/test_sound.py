"""Sound systems that are built otherwise than ours stay clean: a false alarm is a release blocker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from models_under_test.binding import AIJobsBinding
from models_under_test.variants import OURS, Heartbeat, Unfenced
from statemachine.lifecycle import Operation
from statemachine.search.control import SearchControl
from statemachine.search.engine import search, sized
from statemachine.search.run import Run, Verdict
from statemachine.world.lane import Lane
from statemachine.world.operations import perform

EXAMPLES = 150


class Built(AIJobsBinding):
    """The bundled system with some parts replaced, by name, by those in ``parts``."""

    replaced: Mapping[str, str] = {}

    def parts(self) -> dict[str, Any]:
        ours = import_module("tests.defects.sound.parts")
        return super().parts() | {part: getattr(ours, name) for part, name in self.replaced.items()}


def built(base: type[AIJobsBinding] = AIJobsBinding, **replaced: str) -> type[AIJobsBinding]:
    return type("Built", (Built, base), {"replaced": replaced})


class UnfencedHeartbeat(Unfenced, Heartbeat):
    lifecycle = replace(OURS, fenced=False, offers=OURS.offers | {Operation.RENEW})


SOUND: dict[str, type[AIJobsBinding]] = {
    "create in autocommit": built(create_ai_job="create_in_autocommit"),
    "fail and delete in one step, in autocommit": built(delivery="FailsAndDeletesInOneStep"),
    "a send that fails is left to the sweep": built(publish_ai_job="publish_or_leave_it_to_the_sweep"),
    "publish with retries, in autocommit": built(publish_ai_job="publish_with_retries"),
    "fail, then a best-effort note": built(fail_ai_job="fail_and_notify"),
    "fail with a best-effort savepoint": built(fail_ai_job="fail_with_a_savepoint"),
    "a sweep with retries": built(recover_unpublished_ai_jobs="sweep_with_retries"),
    "a sweep that goes on with the next job": built(recover_unpublished_ai_jobs="sweep_that_goes_on"),
    "refused until the lease ends": built(delivery="HidesUntilTheLeaseEnds"),
    "refused until the lease ends, with renewals": built(
        Heartbeat, delivery="RenewsAndHidesUntilTheLeaseEnds"
    ),
    "renewals without fencing": built(
        UnfencedHeartbeat, repository="UnfencedRenewingRepository", delivery="RenewingDelivery"
    ),
    "a memo and a cache by id": built(repository="RemembersById"),
    "prepare with retries": built(prepare_ai_job="prepare_with_retries"),
}


@pytest.mark.parametrize("system", SOUND.values(), ids=SOUND)
def test_a_sound_system_stays_clean(system: type[AIJobsBinding], transactional_db: None) -> None:
    # A review found these with a search of its own, after 3 to 96 examples.
    lane = Lane(system())
    with lane.open():
        run = Run(lane)
        search(SearchControl(run), 3, sized(EXAMPLES))
    assert run.verdict is Verdict.PASS, run.failure and run.failure.headline


def test_a_renewal_beyond_what_sqs_allows_is_no_bug(transactional_db: None) -> None:
    lane = Lane(Heartbeat())
    with lane.open():
        example = lane.begin()
        perform(example, "create", {"job": "j1", "tenant": "t1"})
        perform(example, "publish", {"job": "j1"})
        perform(example, "receive", {"worker": "A", "message": "m2"})
        perform(example, "prepare", {"worker": "A"})
        perform(example, "wait", {"seconds": 43000})
        perform(example, "renew", {"worker": "A"})
        assert example.judge.violations == []


@pytest.mark.parametrize("seconds", [1 / 3, 1e-7, 0.1])
def test_a_time_that_no_database_can_hold_is_rounded(seconds: float, transactional_db: None) -> None:
    lane = Lane(AIJobsBinding())
    with lane.open():
        example = lane.begin()
        for _ in range(2):
            perform(example, "wait", {"seconds": seconds})
        perform(example, "create", {"job": "j3", "tenant": "t1"})
        perform(example, "publish", {"job": "j3"})
        assert example.judge.violations == []
