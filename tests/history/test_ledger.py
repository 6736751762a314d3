"""What is known from the events alone: living holders, clocks that are wrong, messages of a call.

Operations ask the ledger what is possible and claims ask it what was true, so what it gets wrong, both
get wrong in the same way, and no test of theirs would see it.
"""

from __future__ import annotations

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.lifecycle import Lifecycle
from tests.support.events import (
    LEASE,
    NO,
    OURS,
    PENDING,
    RENEWS,
    UNFENCED,
    call,
    clock,
    created,
    delivered,
    done,
    finished,
    invoked,
    others,
    prepared,
    running,
    sent,
    skewed,
    step,
)


def known(*events: Event, lifecycle: Lifecycle = OURS) -> Ledger:
    ledger = Ledger(lifecycle)
    for event in events:
        ledger.apply(event)
    return ledger


GIVEN_TO_A = [*created(), sent(), delivered(), *prepared(2)]
TAKEN_BY_B = [*GIVEN_TO_A, clock(LEASE), delivered(to="B", at=LEASE), *prepared(3, "B", LEASE, attempt=2)]
A_DIES, B_DIES = (history.Killed(LEASE, worker, "during_inference") for worker in "AB")


@pytest.mark.parametrize("lifecycle", [OURS, UNFENCED], ids=["fenced", "unfenced"])
def test_a_worker_with_the_current_attempt_can_finish(lifecycle: Lifecycle) -> None:
    assert not known(*created(), sent(), delivered(), lifecycle=lifecycle).has_living_holder("j1")
    assert known(*GIVEN_TO_A, lifecycle=lifecycle).has_living_holder("j1")
    assert not known(*GIVEN_TO_A, A_DIES, lifecycle=lifecycle).has_living_holder("j1")
    completed = finished(3, "complete", done())
    assert not known(*GIVEN_TO_A, *completed, lifecycle=lifecycle).has_living_holder("j1")


def test_without_tokens_a_superseded_worker_can_finish_too() -> None:
    superseded_lives = [*TAKEN_BY_B, B_DIES]
    assert not known(*superseded_lives).has_living_holder("j1")
    assert known(*superseded_lives, lifecycle=UNFENCED).has_living_holder("j1")
    assert not known(*superseded_lives, A_DIES, lifecycle=UNFENCED).has_living_holder("j1")


def test_without_tokens_a_worker_that_was_never_given_the_job_cannot() -> None:
    refused = [*GIVEN_TO_A, delivered(to="B"), *call(3, "prepare", "B", answer=NO), A_DIES]
    assert not known(*refused, lifecycle=UNFENCED).has_living_holder("j1")


def test_the_drain_owes_by_what_it_finds() -> None:
    began = history.DrainBegan(LEASE)
    owed = {
        name: known(*events, began, lifecycle=lifecycle).owed["j1"].living_holder
        for name, events, lifecycle in (
            ("fenced", [*TAKEN_BY_B, B_DIES], OURS),
            ("unfenced", [*TAKEN_BY_B, B_DIES], UNFENCED),
        )
    }
    assert owed == {"fenced": False, "unfenced": True}


def test_a_lease_is_live_by_the_holders_own_clock() -> None:
    ahead = [*created(), skewed("A", 20), *call(2, "prepare", leaves=[running(1, LEASE + 20)], told=1)]
    assert known(*ahead).holders["j1"].expires_at == LEASE + 20
    assert known(*ahead, clock(LEASE + 19)).lease_is_live("j1")
    assert not known(*ahead, clock(LEASE + 20)).lease_is_live("j1")


def test_each_asks_by_its_own_clock() -> None:
    ledger = known(skewed("A", 20), skewed("B", -5), clock(100))
    assert [ledger.by_the_clock_of(actor) for actor in ("A", "B", "C", "publisher")] == [120, 95, 100, 100]
    assert known(skewed("A", 20), skewed("A", 0), clock(100)).by_the_clock_of("A") == 100


def test_an_open_call_is_ruled_on_by_its_callers_clock_when_time_passes() -> None:
    ledger = known(*GIVEN_TO_A, skewed("B", 20), step(3), invoked(3, "prepare", "B"), clock(LEASE - 20))
    situations = [ruled.cell.situation for ruled in ledger.calls[3].rulings]
    assert situations == ["RUNNING, lease live", "RUNNING, lease expired"]


def test_a_renewal_moves_the_lease_of_its_own_attempt_only() -> None:
    renewed = call(3, "renew", at=100, attempt=1, leaves=[running(1, LEASE + 100)])
    holder = known(*GIVEN_TO_A, *renewed, lifecycle=RENEWS).holders["j1"]
    assert (holder.attempt, holder.leased_at, holder.expires_at) == (1, 100, LEASE + 100)
    by_another = call(4, "renew", at=LEASE + 5, attempt=1, leaves=[running(2, 2 * LEASE + 5)])
    holder = known(*TAKEN_BY_B, *by_another, lifecycle=RENEWS).holders["j1"]
    assert (holder.attempt, holder.leased_at) == (2, LEASE)


def test_a_job_is_as_old_as_its_first_commit() -> None:
    at_7 = call(1, "create", "application", at=7, leaves=[PENDING])
    published = call(2, "publish", "publisher", 50, leaves=[PENDING._replace(published_at=50)])
    assert known(*at_7, clock(50), *published).created_at == {"j1": 7}


def test_a_call_knows_what_it_sent() -> None:
    ledger = known(
        *created(),
        step(2),
        invoked(2, "recover", "sweep", 60, job="", tenant=""),
        sent(call=2),
        sent("m2", call=2),
    )
    assert ledger.calls[2].sent == ["j1", "j1"]
    assert known(*created(), sent(call=1)).calls[1].sent == ["j1"]
    assert known(*created(), sent(call=77)).calls[1].sent == []


def test_only_the_first_count_of_other_rows_is_kept() -> None:
    assert known().others is None
    assert known(others("(1,)"), others("(2,)")).others == "(1,)"
