"""Kills at a statement, and at a later commit: what was committed before stays, all else is undone.

A worker dies anywhere, not at commits only.  Code that forgot its transaction keeps half of its work
then, and that half must be seen.  What was committed is read through a second connection.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import OperationalError, connection, transaction

from models_under_test.models import Tenant
from statemachine.world.faults import Fault, WorkerKilled
from tests.world.watched import Watched

WROTE = ["a", "b", "c"]


def in_one_transaction() -> None:
    with transaction.atomic(durable=True):
        without_transaction()


def without_transaction() -> None:
    for code in WROTE:
        Tenant.objects.create(code=code)


@pytest.mark.parametrize("statement", [1, 2, 3])
def test_a_kill_inside_of_a_transaction_leaves_the_state_before(statement: int, watched: Watched) -> None:
    Tenant.objects.create(code="before")
    assert isinstance(watched.call(in_one_transaction, Fault.KILL_BEFORE_STATEMENT, statement), WorkerKilled)
    assert watched.stored() == {"before"}
    assert watched.seen == ["struck kill_before_statement"]
    assert watched.statements == statement - 1, "those that were let through"
    assert (watched.dead, watched.boundary) == (True, "before_prepare_statement")
    assert watched.is_usable()


def swallowing() -> None:
    with transaction.atomic(durable=True):
        for code in WROTE:
            with suppress(OperationalError):
                Tenant.objects.create(code=code)


def with_savepoints() -> None:
    with transaction.atomic(durable=True):
        for code in WROTE:
            with suppress(OperationalError), transaction.atomic():
                Tenant.objects.create(code=code)


@pytest.mark.parametrize("statement", [1, 2, 3])
def test_an_error_of_a_statement_undoes_its_transaction(statement: int, watched: Watched) -> None:
    Tenant.objects.create(code="before")
    error = watched.call(in_one_transaction, Fault.ERROR_BEFORE_STATEMENT, statement)
    assert isinstance(error, OperationalError)
    assert (watched.stored(), watched.dead) == ({"before"}, False)
    assert watched.is_usable()


def test_code_that_swallows_it_can_do_nothing_more_in_that_transaction(watched: Watched) -> None:
    error = watched.call(swallowing, Fault.ERROR_BEFORE_STATEMENT, 2)
    assert isinstance(error, transaction.TransactionManagementError)
    assert watched.stored() == set()
    assert watched.is_usable()


def test_a_savepoint_saves_what_was_written_before_it(watched: Watched) -> None:
    assert watched.call(with_savepoints, Fault.ERROR_BEFORE_STATEMENT, 2) is None
    assert watched.stored() == {"a", "c"}
    assert watched.is_usable()


def test_without_a_transaction_an_error_undoes_its_statement_only(watched: Watched) -> None:
    assert isinstance(watched.call(without_transaction, Fault.ERROR_BEFORE_STATEMENT, 2), OperationalError)
    assert watched.stored() == {"a"}
    assert watched.is_usable()


@pytest.mark.parametrize("statement", [1, 2, 3])
def test_without_a_transaction_the_first_writes_stay(statement: int, watched: Watched) -> None:
    assert isinstance(watched.call(without_transaction, Fault.KILL_BEFORE_STATEMENT, statement), WorkerKilled)
    assert watched.stored() == set(WROTE[: statement - 1])
    assert watched.autocommitted is (statement > 1)
    assert watched.is_usable()


@pytest.mark.parametrize("block", [in_one_transaction, without_transaction])
def test_a_statement_that_never_comes_is_never_struck(block: Callable[[], None], watched: Watched) -> None:
    assert watched.call(block, Fault.KILL_BEFORE_STATEMENT, 4) is None
    assert watched.stored() == set(WROTE)
    assert not watched.dead
    assert not any(line.startswith("struck") for line in watched.seen)


def test_savepoints_are_no_statements(watched: Watched) -> None:
    def nested() -> None:
        with transaction.atomic(durable=True):
            with transaction.atomic():
                Tenant.objects.create(code="a")
            with suppress(ZeroDivisionError), transaction.atomic():
                raise ZeroDivisionError
            Tenant.objects.create(code="b")

    assert watched.call(nested) is None
    assert watched.statements == 2
    Tenant.objects.all().delete()
    assert watched.call(nested, Fault.KILL_BEFORE_STATEMENT, 3) is None
    assert watched.stored() == {"a", "b"}


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "  SELECT 1",
        "(SELECT 1) ",
        "\n\tUPDATE tenant SET code = code",
        "DELETE FROM tenant",
        "INSERT INTO tenant (code) VALUES ('x')",
        "WITH one AS (SELECT 1) SELECT * FROM one",
    ],
)
def test_what_reads_or_writes_is_a_statement(sql: str, watched: Watched) -> None:
    asked: list[str] = []

    def ask() -> None:
        with connection.cursor() as cursor:
            asked.append(sql)
            cursor.execute(sql)

    assert isinstance(watched.call(ask, Fault.KILL_BEFORE_STATEMENT), WorkerKilled)
    assert asked == [sql]


def test_a_read_counts_like_a_write(watched: Watched) -> None:
    def reads_first() -> None:
        with transaction.atomic():
            assert Tenant.objects.count() == 0
            Tenant.objects.create(code="a")

    assert isinstance(watched.call(reads_first, Fault.KILL_BEFORE_STATEMENT, 2), WorkerKilled)
    assert watched.stored() == set()


def two_commits(watched: Watched) -> Callable[[], None]:
    def commits() -> None:
        watched.write("first")
        watched.write("second")

    return commits


SECOND: dict[Fault, tuple[type[BaseException], set[str], int]] = {
    Fault.KILL_BEFORE_COMMIT: (WorkerKilled, {"first"}, 1),
    Fault.ERROR_BEFORE_COMMIT: (OperationalError, {"first"}, 1),
    Fault.KILL_AFTER_COMMIT: (WorkerKilled, {"first", "second"}, 1),
    Fault.ANSWER_LOST: (OperationalError, {"first", "second"}, 1),
}


@pytest.mark.parametrize("fault", SECOND)
def test_the_second_commit_is_struck_and_the_first_one_stays(fault: Fault, watched: Watched) -> None:
    raised, rows, hooks = SECOND[fault]
    assert type(watched.call(two_commits(watched), fault, 2)) is raised
    assert watched.stored() == rows
    assert watched.seen[:2] == ["committed ['first']", "hook"]
    assert watched.seen.count(f"struck {fault}") == 1
    assert watched.seen.count("hook") == hooks, "the hook of the first, none of the second"
    assert watched.is_usable()


def test_a_third_commit_that_never_comes_is_never_struck(watched: Watched) -> None:
    assert watched.call(two_commits(watched), Fault.KILL_AFTER_COMMIT, 3) is None
    assert watched.stored() == {"first", "second"}
    assert watched.is_usable()


def test_the_count_begins_anew_with_each_call(watched: Watched) -> None:
    assert watched.call(lambda: watched.write("a"), Fault.KILL_BEFORE_COMMIT, 2) is None
    assert watched.call(lambda: watched.write("b"), Fault.KILL_BEFORE_COMMIT, 2) is None
    assert watched.stored() == {"a", "b"}
