"""Histories of the transactions lane, written by hand."""

from __future__ import annotations

from typing import Any

from statemachine.search.triage.script import Step
from tests.support.scripts import script

Turn = tuple[str, dict[str, Any]]

READ, LOCKED = "SELECT ai_job", "SELECT ai_job FOR UPDATE"


def turn(by: str, statement: str) -> Turn:
    return "proceed", {"by": by, "statement": statement}


DELIVERED_TWICE: list[Turn] = [
    ("create", {"job": "j1", "tenant": "t1"}),
    ("publish", {"job": "j1"}),
    ("receive", {"worker": "A", "message": "m2"}),
    ("duplicate", {"worker": "B", "message": "m2"}),
    ("prepare", {"worker": "A", "stepwise": True}),
    ("prepare", {"worker": "B", "stepwise": True}),
]

TWO_PREPARES: list[Step] = script(
    *DELIVERED_TWICE,
    turn("A", LOCKED),
    turn("B", LOCKED),
    turn("A", "UPDATE ai_job"),
    turn("A", "COMMIT"),
    turn("B", "resumes"),
    turn("B", "COMMIT"),
)
"""Two workers ask for one lease at once, and the second waits for the first."""

TWO_LEASES: list[Step] = script(
    *DELIVERED_TWICE,
    turn("A", READ),
    turn("B", READ),
    turn("A", "UPDATE ai_job"),
    turn("B", "UPDATE ai_job"),
    turn("A", "COMMIT"),
    turn("B", "resumes"),
    turn("B", "COMMIT"),
)
"""Where rows are read without a lock both get it: B writes what it made of the row before A's write."""

KILLS: list[Step] = script(
    *DELIVERED_TWICE[:5],
    turn("A", LOCKED),
    ("prepare", {"worker": "B"}),
    ("kill_in_flight", {"by": "B"}),
    turn("A", "UPDATE ai_job"),
    ("kill_in_flight", {"by": "A"}),
)
"""B dies waiting for A's lock, and A dies before its COMMIT."""

OFFICES: list[Step] = script(
    ("create", {"job": "j1", "tenant": "t1", "stepwise": True}),
    turn("application", "INSERT ai_job"),
    turn("application", "COMMIT"),
    ("publish", {"job": "j1", "stepwise": True}),
    turn("publisher", "UPDATE ai_job"),
    ("stray", {"operation": "complete", "job": "j1", "attempt": "next"}),
    turn("publisher", "COMMIT"),
    turn("stray", "resumes"),
    turn("stray", "COMMIT"),
    ("stray", {"operation": "fail", "job": "j1", "attempt": "next", "stepwise": True}),
    ("stray", {"operation": "complete", "job": "j1", "attempt": "zero", "stepwise": True}),
    turn("stray 2", LOCKED),
    ("kill_in_flight", {"by": "stray"}),
    turn("stray 2", "COMMIT"),
)
"""What no worker does: the application, the publisher, and two strays at once."""
