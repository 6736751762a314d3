"""What the correct system may do while an operation is in flight is no failure."""

from __future__ import annotations

from statemachine.history.events import Invoked
from statemachine.search.triage import script
from tests.support.postgresql import OpenTransactions
from tests.support.scripts import script as numbered


def test_a_foreign_call_stays_foreign_while_its_job_is_being_created(
    open_transactions: OpenTransactions,
) -> None:
    # In the name of the tenant that the creation names it would acquire a job that has no message yet.
    steps = numbered(
        ("create", {"job": "j1", "tenant": "t1", "stepwise": True}),
        ("mark_running", {"job": "j1", "foreign": True, "stepwise": True}),
        ("proceed", {"by": "application", "statement": "INSERT ai_job"}),
        ("proceed", {"by": "application", "statement": "COMMIT"}),
        ("proceed", {"by": "stray", "statement": "SELECT ai_job FOR UPDATE"}),
        ("proceed", {"by": "stray", "statement": "COMMIT"}),
    )
    with open_transactions() as lane:
        played = script.play(lane, steps, drained=True)
    assert played.left_out == {}
    assert played.failure is None
    asked = [event.tenant for event in played.example.events if isinstance(event, Invoked)]
    assert asked[:2] == ["t1", "t2"]
