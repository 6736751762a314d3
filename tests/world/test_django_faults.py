"""Faults at a commit do to the database what they say, and the connection lives on.

Everything that the verifier knows of kills and lost answers rests on this module.  A fault that
committed when it should not (SQLite does so when a bare exception meets Django's autocommit) would
turn a clean system into a broken one.  What was committed is read through a second connection.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.models.functions import Upper

from models_under_test.models import Tenant
from statemachine.world.faults import PLACES, Fault, FaultPlace, Strike, WorkerKilled
from tests.world.watched import Watched

ENDS: dict[Fault | None, tuple[type[BaseException] | None, list[str], list[str]]] = {
    None: (None, ["a"], ["committed ['a']", "hook"]),
    Fault.KILL_BEFORE_COMMIT: (WorkerKilled, [], ["struck kill_before_commit"]),
    Fault.ERROR_BEFORE_COMMIT: (OperationalError, [], ["struck error_before_commit"]),
    Fault.KILL_AFTER_COMMIT: (WorkerKilled, ["a"], ["committed ['a']", "struck kill_after_commit"]),
    Fault.ANSWER_LOST: (OperationalError, ["a"], ["committed ['a']", "struck answer_lost"]),
}


def test_every_commit_fault_is_tried() -> None:
    commits = (FaultPlace.BEFORE_COMMIT, FaultPlace.AFTER_COMMIT)
    at_commits = {fault for fault, place in PLACES.items() if place in commits}
    assert set(ENDS) == {None, *at_commits}


@pytest.mark.parametrize("fault", ENDS)
def test_a_fault_leaves_the_row_and_the_hooks_as_it_says(fault: Fault | None, watched: Watched) -> None:
    raised, rows, seen = ENDS[fault]
    error = watched.call(lambda: watched.write("a"), fault)
    assert type(error) is (raised or type(None))
    assert watched.stored() == set(rows)
    assert set(Tenant.objects.values_list("code", flat=True)) == set(rows)
    assert watched.seen == seen
    assert watched.dead is (raised is WorkerKilled)
    assert watched.is_usable()


@pytest.mark.parametrize("fault", ENDS)
def test_a_savepoint_is_no_commit(fault: Fault | None, watched: Watched) -> None:
    def block() -> None:
        with transaction.atomic():
            Tenant.objects.create(code="outer")
            with transaction.atomic():
                Tenant.objects.create(code="inner")
            with suppress(ZeroDivisionError), transaction.atomic():
                Tenant.objects.create(code="undone")
                raise ZeroDivisionError
            assert watched.seen == [], "neither RELEASE nor ROLLBACK TO is a commit"

    raised, rows, seen = ENDS[fault]
    assert type(watched.call(block, fault)) is (raised or type(None))
    assert watched.stored() == ({"outer", "inner"} if rows else set())
    assert [line.replace("['inner', 'outer']", "['a']") for line in watched.seen] == [
        line for line in seen if line != "hook"
    ]
    assert watched.is_usable()


@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE_COMMIT, Fault.KILL_AFTER_COMMIT])
def test_a_killed_call_gets_nothing_more_through(fault: Fault, watched: Watched) -> None:
    tried: list[str] = []

    def each_is_killed() -> None:
        for name, statement in {
            "read": lambda: Tenant.objects.count(),
            "autocommit": lambda: Tenant.objects.create(code="ghost"),
            "atomic": lambda: watched.write("ghost"),
            "raw": lambda: connection.cursor().execute("DELETE FROM tenant"),
            "many": lambda: connection.cursor().executemany(
                "INSERT INTO tenant (code) VALUES (%s)", [("g",)]
            ),
            "commit": connection.commit,
        }.items():
            with pytest.raises(WorkerKilled):
                statement()
            tried.append(name)

    def stubborn() -> None:
        try:
            try:
                with suppress(Exception):
                    watched.write("a")
                tried.append("went on")
            finally:
                each_is_killed()
        finally:
            each_is_killed()

    before = watched.stored()
    assert isinstance(watched.call(stubborn, fault), WorkerKilled)
    assert tried == ["read", "autocommit", "atomic", "raw", "many", "commit"] * 2
    assert watched.stored() == before | ({"a"} if fault is Fault.KILL_AFTER_COMMIT else set())
    assert watched.is_usable()


def test_a_call_that_swallows_its_death_is_still_dead(watched: Watched) -> None:
    def immortal() -> None:
        with suppress(BaseException):
            watched.write("a")
        with suppress(BaseException):
            watched.write("b")

    assert watched.call(immortal, Fault.KILL_BEFORE_COMMIT) is None
    assert watched.dead
    assert watched.stored() == set()
    assert watched.is_usable()


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE_COMMIT, Fault.ANSWER_LOST])
def test_an_error_strikes_one_commit_and_the_caller_may_go_on(fault: Fault, watched: Watched) -> None:
    def retries() -> None:
        with suppress(OperationalError):
            watched.write("first")
        watched.write("second")

    assert watched.call(retries, fault) is None
    assert watched.stored() == {"second"} | ({"first"} if fault is Fault.ANSWER_LOST else set())
    assert watched.seen.count(f"struck {fault}") == 1
    assert watched.seen[-1] == "hook"


def test_a_fault_that_meets_no_commit_does_not_outlive_its_call(watched: Watched) -> None:
    def rolled_back() -> None:
        with suppress(ZeroDivisionError), transaction.atomic():
            Tenant.objects.create(code="undone")
            raise ZeroDivisionError

    assert watched.call(rolled_back, Fault.KILL_AFTER_COMMIT) is None
    assert watched.seen == []
    assert watched.is_usable()


def test_what_ctrl_c_left_open_is_rolled_back(watched: Watched) -> None:
    watched.faults.arm(Strike(Fault.KILL_BEFORE_COMMIT))
    transaction.atomic().__enter__()
    Tenant.objects.create(code="outer")
    transaction.atomic().__enter__()
    Tenant.objects.create(code="inner")
    transaction.on_commit(lambda: watched.seen.append("hook"))
    watched.faults.abandon()
    assert watched.stored() == set()
    assert watched.seen == []
    assert watched.is_usable()


def test_the_verifiers_own_sql_is_not_watched(watched: Watched) -> None:
    watched.call(lambda: None, Fault.KILL_BEFORE_COMMIT)
    with transaction.atomic():
        Tenant.objects.create(code="ours")
    assert watched.seen == []
    assert watched.stored() == {"ours"}


WRITES: dict[str, Callable[[], object]] = {
    "create": lambda: Tenant.objects.create(code="b"),
    "update": lambda: Tenant.objects.update(code=Upper("code")),
    "raw": lambda: connection.cursor().execute("UPDATE tenant SET code = 'c'"),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_without_a_transaction_is_noticed(write: str, watched: Watched) -> None:
    Tenant.objects.create(code="a")
    watched.call(lambda: WRITES[write]() and None)
    assert watched.autocommitted
    with_transaction = transaction.atomic()(WRITES[write])
    Tenant.objects.all().delete()
    watched.call(lambda: with_transaction() and None)
    assert not watched.autocommitted, "neither BEGIN nor what follows it is an autocommit"


def test_what_the_call_commits_is_seen_before_its_hooks_run(watched: Watched) -> None:
    def two_commits() -> None:
        watched.write("a")
        watched.write("b")

    watched.call(two_commits)
    assert watched.seen == ["committed ['a']", "hook", "committed ['a', 'b']", "hook"]


@pytest.mark.parametrize("leave", [lambda: None, lambda: 1 / 0], ids=["quietly", "with an error"])
def test_the_connection_is_as_before_afterwards(leave: Callable[[], object], transactional_db: None) -> None:
    watched = Watched()
    wrappers = list(connection.execute_wrappers)
    with suppress(ZeroDivisionError), watched.faults.installed():
        assert "commit" in vars(connections["default"])
        leave()
    assert "commit" not in vars(connections["default"])
    assert connection.execute_wrappers == wrappers
    watched.faults.arm(Strike(Fault.KILL_BEFORE_COMMIT))
    watched.write("a")
    assert watched.stored() == {"a"}
