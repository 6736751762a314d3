"""What PostgreSQL can answer to two transactions at once: waits, deadlocks, serialization failures, commits.

Each is an outcome in the history, the same one each time, and no mistake of the system under test; what the
system makes of it is judged as anything is.
"""

from __future__ import annotations

import pytest
from psycopg import IsolationLevel

from statemachine.history import events as history
from statemachine.world.example import Example, InFlight
from statemachine.world.operations import NotPossible, perform
from statemachine.world.operations.drain import drain
from tests.support.postgresql import OpenTransactions
from tests.world.transactions import systems
from tests.world.transactions.scripts import (
    CREATED,
    DELIVERED,
    EXPIRED,
    RUNNING,
    faults,
    finish,
    go,
    play,
    statements,
    stepwise,
)

LOCKED, WRITTEN = "SELECT ai_job FOR UPDATE", "UPDATE ai_job"


def broken(example: Example) -> list[str]:
    return [violation.invariant for violation in example.judge.violations]


def test_a_wait_is_a_state_and_who_waits_cannot_be_chosen(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        example = lane.begin()
        play(
            example,
            *DELIVERED,
            stepwise(("prepare", {"worker": "A"})),
            stepwise(("prepare", {"worker": "B"})),
        )
        assert example.in_flight == {
            "A": InFlight("A", "prepare", "j1", 5, LOCKED),
            "B": InFlight("B", "prepare", "j1", 6, LOCKED),
        }
        go(example, "A")
        go(example, "B")
        assert example.in_flight["B"] == InFlight("B", "prepare", "j1", 6, LOCKED, blocked_by="A", executed=1)
        assert example.events[-1] == history.LockWaited(0, 6, 5)
        with pytest.raises(NotPossible, match="B waits for a lock that A holds"):
            perform(example, "proceed", {"by": "B", "statement": LOCKED})
        go(example, "A")
        assert example.in_flight["B"].blocked_by == "A", "an UPDATE releases nothing"
        assert go(example, "A") == ["COMMIT"]
        assert example.in_flight["B"] == InFlight("B", "prepare", "j1", 6, "resumes", executed=1)
        assert history.LockGranted(0, 6) in example.events


def test_two_at_most_are_in_flight(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        example = lane.begin()
        play(
            example, *RUNNING, stepwise(("prepare", {"worker": "B"})), stepwise(("prepare", {"worker": "C"}))
        )
        with pytest.raises(NotPossible, match="B and C are in flight: one of them must end first"):
            perform(example, "complete", {"worker": "A"})


def test_savepoints_commits_and_rollbacks_are_steps(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.Nested)) as lane:
        example = lane.begin()
        play(example, *DELIVERED, stepwise(("prepare", {"worker": "A"})))
        assert finish(example, "A") == [
            "SAVEPOINT",
            LOCKED,
            WRITTEN,
            "SAVEPOINT",
            WRITTEN,
            "ROLLBACK TO SAVEPOINT",
            "RELEASE SAVEPOINT",
            "SAVEPOINT",
            "SELECT ai_job",
            "RELEASE SAVEPOINT",
            "RELEASE SAVEPOINT",
            "COMMIT",
        ]
        assert len(statements(example, 5)) == 12
        drain(example)
        assert broken(example) == []


def test_a_rollback_is_a_step(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        example = lane.begin()
        play(example, *CREATED, stepwise(("create_again", {"job": "j1", "tenant": "t1"})))
        names = finish(example, "application")
        assert names[-1] == "ROLLBACK"
        assert "COMMIT" not in names


def deadlock(example: Example, first: str, second: str) -> list[str]:
    """A completes the job from its expired lease while B takes it over: each holds what the other needs."""
    play(example, *EXPIRED, stepwise(("complete", {"worker": "A"})), stepwise(("prepare", {"worker": "B"})))
    # A: the tenant, then the job.  B: the job, then the tenant.
    assert go(example, "A") == ["SELECT tenant FOR UPDATE"]
    assert go(example, "B", 2) == [LOCKED, WRITTEN]
    go(example, first)
    assert example.in_flight[first].blocked_by == second
    go(example, second)
    return [event.error for event in example.events if isinstance(event, history.Raised)]


@pytest.mark.parametrize(("first", "second"), [("A", "B"), ("B", "A")])
def test_a_deadlock_has_the_same_victim_each_time(
    first: str, second: str, open_transactions: OpenTransactions
) -> None:
    with open_transactions(systems.path_of(systems.Deadlocks)) as lane:
        seen = set()
        for _ in range(20):
            example = lane.begin()
            deadlock(example, first, second)
            # Whoever closes the circle is the victim, and rolls back; the other one has its lock at once.
            assert example.in_flight[second].statement == "ROLLBACK"
            assert faults(example) == ["deadlock"]
            (fault,) = [event for event in example.events if isinstance(event, history.FaultStruck)]
            assert fault.call == example.in_flight[second].call
            assert example.in_flight[first].statement == "resumes"
            assert go(example, second) == ["ROLLBACK"]
            finish(example, first)
            (error,) = [event.error for event in example.events if isinstance(event, history.Raised)]
            assert error.startswith("OperationalError: deadlock detected")
            drain(example)
            assert broken(example) == []
            seen.add(str(example.events))
            assert lane.outside.locks == []  # type: ignore[attr-defined]
        assert len(seen) == 1


def test_a_deadlock_that_is_taken_for_success_is_caught(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.SwallowsDeadlocks)) as lane:
        example = lane.begin()
        deadlock(example, "B", "A")
        finish(example, "A")
        finish(example, "B")
        assert faults(example) == ["deadlock"]
        assert broken(example)[0] == "operations_answer_by_the_table"


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_serialization_failure_is_an_outcome(
    level: IsolationLevel, open_transactions: OpenTransactions
) -> None:
    with open_transactions(options={"isolation_level": level}) as lane:
        histories = set()
        for _ in range(5):
            example = lane.begin()
            play(example, *DELIVERED)
            play(example, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
            go(example, "A")
            go(example, "B")
            assert example.in_flight["B"].blocked_by == "A"
            finish(example, "A")
            assert go(example, "B") == ["resumes"]
            assert faults(example) == ["serialization_failure"]
            assert go(example, "B") == ["ROLLBACK"]
            (error,) = [event.error for event in example.events if isinstance(event, history.Raised)]
            assert error.startswith("OperationalError: could not serialize access")
            drain(example)
            assert broken(example) == []
            histories.add(str(example.events))
        assert len(histories) == 1


def test_a_retry_after_a_serialization_failure_is_judged_as_a_first_try(
    open_transactions: OpenTransactions,
) -> None:
    options = {"isolation_level": IsolationLevel.REPEATABLE_READ}
    with open_transactions(systems.path_of(systems.RetriesErrors), options=options) as lane:
        example = lane.begin()
        play(
            example, *EXPIRED, stepwise(("complete", {"worker": "A"})), stepwise(("prepare", {"worker": "B"}))
        )
        go(example, "B")
        go(example, "A")
        assert example.in_flight["A"].blocked_by == "B"
        finish(example, "B")
        assert finish(example, "A") == ["resumes", "ROLLBACK", LOCKED, "COMMIT"]
        answers = [event.answer for event in example.events if isinstance(event, history.Returned)]
        assert answers[-1] == "refused"
        drain(example)
        assert broken(example) == []


def test_a_write_without_a_transaction_is_seen_at_its_own_statement(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions(systems.path_of(systems.Autocommits)) as lane:
        example = lane.begin()
        play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
        assert go(example, "A") == [WRITTEN]
        since = example.events[-3:]
        assert [type(event) for event in since] == [
            history.StatementBegan,
            history.Committed,
            history.Observed,
        ]
        assert {event.call for event in since} == {5}
        # B's own write changes nothing, and so is no lease: nobody slipped in between.
        assert go(example, "B") == [WRITTEN]
        finish(example, "B")
        finish(example, "A")
        assert example.ledger.rows["j1"].attempt == 1
        drain(example)
        assert broken(example) == []


def test_a_write_inside_of_a_function_is_seen_at_its_own_statement(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions(systems.path_of(systems.ClaimsByFunction)) as lane:
        example = lane.begin()
        play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
        assert go(example, "A", 3)[-1].startswith("SELECT")
        *_, began, committed, observed, _ = map(type, example.events)
        assert (began, committed, observed) == (history.StatementBegan, history.Committed, history.Observed)
        finish(example, "B")
        commits = [event.call for event in example.events if isinstance(event, history.Committed)]
        # Both have replaced the function; the one that B calls has written nothing.
        assert (commits.count(5), commits.count(6)) == (2, 1)
        assert example.ledger.rows["j1"].attempt == 1
        drain(example)
        assert broken(example) == []


def test_a_write_without_a_transaction_waits_and_is_seen_when_it_resumes(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions(systems.path_of(systems.Autocommits)) as lane:
        example = lane.begin()
        play(
            example,
            *DELIVERED,
            stepwise(("prepare", {"worker": "A"})),
            stepwise(("mark_running", {"job": "j1"})),
        )
        assert go(example, "stray", 2) == [LOCKED, WRITTEN]
        go(example, "A")
        assert example.in_flight["A"].blocked_by == "stray"
        go(example, "stray")
        assert example.in_flight["A"].statement == "resumes"
        before = lane.outside.transactions  # type: ignore[attr-defined]
        assert len(before) == 1, "its commit is not the server's to choose"
        finish(example, "A")
        assert example.ledger.rows["j1"].attempt == 1
        drain(example)
        assert broken(example) == []


def test_code_that_commits_by_hand_does_so_where_it_does(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.WithoutAutocommit)) as lane:
        example = lane.begin()
        play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
        assert go(example, "A", 2) == [LOCKED, WRITTEN]
        assert not [
            event
            for event in example.events
            if getattr(event, "call", 0) == 5 and isinstance(event, history.Committed)
        ]
        go(example, "B")
        assert example.in_flight["B"].blocked_by == "A", "what is written is not committed yet"
        assert go(example, "A") == ["COMMIT"]
        finish(example, "A")
        finish(example, "B")
        assert example.ledger.rows["j1"].attempt == 1
        drain(example)
        assert broken(example) == []


def test_an_error_at_the_commit_of_one_statement_is_one_of_django(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions(systems.path_of(systems.Deferred)) as lane:
        example = lane.begin()
        play(example, *DELIVERED, stepwise(("prepare", {"worker": "A"})))
        assert finish(example, "A") == ["INSERT lecture", LOCKED, WRITTEN, "COMMIT"]
        assert broken(example) == []
