"""Ways to play an example by hand, and where each operation of the bundled system can begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from statemachine.history.events import FaultStruck, StatementBegan
from statemachine.world.example import Example
from statemachine.world.operations import perform

Turn = tuple[str, dict[str, Any]]

CREATED: tuple[Turn, ...] = (("create", {"job": "j1", "tenant": "t1"}),)
SENT: tuple[Turn, ...] = (*CREATED, ("publish", {"job": "j1"}))
DELIVERED: tuple[Turn, ...] = (
    *SENT,
    ("receive", {"worker": "A", "message": "m2"}),
    ("duplicate", {"worker": "B", "message": "m2"}),
)
RUNNING: tuple[Turn, ...] = (
    *DELIVERED,
    ("duplicate", {"worker": "C", "message": "m2"}),
    ("prepare", {"worker": "A"}),
)
LEASE_ENDS: Turn = ("advance_to", {"deadline": "lease", "of": "j1", "offset": 0})
EXPIRED: tuple[Turn, ...] = (*RUNNING, LEASE_ENDS)
UNSENT: tuple[Turn, ...] = (
    *CREATED,
    ("create", {"job": "j2", "tenant": "t1"}),
    ("kill_publisher", {"job": "j1"}),
    ("kill_publisher", {"job": "j2"}),
    ("advance_to", {"deadline": "recovery", "of": "j2", "offset": 0}),
)


class Beginning(NamedTuple):
    """``steps`` lead to where ``turn`` can be played, which ``by`` makes."""

    by: str
    turn: Turn
    steps: tuple[Turn, ...]


BEGINNINGS: Mapping[str, Beginning] = {
    "create": Beginning("application", ("create", {"job": "j1", "tenant": "t1"}), ()),
    "publish": Beginning("publisher", ("publish", {"job": "j1"}), CREATED),
    "recover": Beginning("sweep", ("recover", {}), UNSENT),
    "prepare": Beginning("A", ("prepare", {"worker": "A"}), DELIVERED),
    "complete": Beginning("A", ("complete", {"worker": "A"}), RUNNING),
    "fail": Beginning("A", ("fail", {"worker": "A"}), RUNNING),
    "release": Beginning("A", ("release", {"worker": "A"}), RUNNING),
    "mark_running": Beginning("stray", ("mark_running", {"job": "j1"}), SENT),
    "stray": Beginning("stray", ("stray", {"operation": "fail", "job": "j1", "attempt": "next"}), RUNNING),
}
"""By name: all operations of the bundled system that execute statements."""


def play(example: Example, *turns: Turn) -> None:
    """Play each turn; it must be possible, and all must be right afterwards."""
    for operation, arguments in turns:
        perform(example, operation, arguments)
    assert example.judge.violations == []


def stepwise(turn: Turn) -> Turn:
    """The same, stopped before its first statement."""
    operation, arguments = turn
    return operation, {**arguments, "stepwise": True}


def go(example: Example, by: str, times: int = 1) -> list[str]:
    """Let ``by`` execute up to this many statements, and return their names."""
    names: list[str] = []
    while len(names) < times and by in example.in_flight and not example.in_flight[by].blocked_by:
        names.append(example.in_flight[by].statement)
        perform(example, "proceed", {"by": by, "statement": names[-1]})
    return names


def finish(example: Example, by: str) -> list[str]:
    """Let ``by`` come to its end, or to a lock."""
    return go(example, by, times=1000)


def statements(example: Example, call: int | None = None) -> list[str]:
    """The names of the statements that ``call`` has begun, of all calls for None."""
    return [
        event.statement
        for event in example.events
        if isinstance(event, StatementBegan) and call in (None, event.call)
    ]


def faults(example: Example) -> list[str]:
    return [event.fault for event in example.events if isinstance(event, FaultStruck)]
