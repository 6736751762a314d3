"""What a step set out to do, in the words that every report uses."""

from __future__ import annotations

from collections.abc import Mapping

from statemachine.history.events import StepBegan
from statemachine.report import edge_name

_PLACES = {-1: "1 s before", 0: "exactly to", 1: "1 s past"}

_UNDERTAKEN: Mapping[str, str] = {
    "create": "create {job}",
    "create_again": "create {job}",
    "kill_publisher": "publisher of {job} killed",
    "recover": "sweep",
    "forge": "message for {tenant}'s {job} forged",
    "send_malformed": "malformed message",
    "skew_clock": "clock of {worker} {seconds:+g} s",
}


def undertaken(step: StepBegan) -> str:
    """What no later event of the step says; empty for a step that its events tell of."""
    try:
        return _UNDERTAKEN.get(step.operation, "").format_map(step.arguments)
    except (KeyError, ValueError):  # a step that nobody can play can still be looked at
        return ""


def destination(step: StepBegan) -> str:
    """Where a move of time is to end, if that is a deadline: ``exactly to the lease edge of j1``."""
    given = step.arguments
    if step.operation != "advance_to" or not {"deadline", "of"} <= given.keys():
        return ""
    offset = int(given.get("offset", 0))
    place = _PLACES.get(offset, f"{offset:+d} s from")
    return f"{place} the {edge_name(str(given['deadline']))} of {given['of']}"
