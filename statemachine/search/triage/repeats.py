"""Whether a system does the same when the same steps are played again, and where it first does not.

A failure that does not repeat cannot be minimised.  What a person needs to know then is which call answered
differently: code that reads a random source, the real time or what an earlier example left behind does.
That some plays are alike does not show that all would be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from statemachine.history.events import Event, Invoked, Raised, Returned, StepBegan
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import in_drain, play, steps_of
from statemachine.world.lane import Lane

PLAYS = 8
"""How often a history is played again: a call that tosses a coin is alike in all with p = 2 ** -8 = 0.4 %."""


def answered_differently(lane: Lane, failure: Failure) -> str:
    """Play ``failure`` again on the open ``lane``, and return a sentence on the first call that differed.

    Empty if it went as before each of :data:`PLAYS` times.
    """
    for _ in range(PLAYS):
        again = play(lane, steps_of(failure), drained=in_drain(failure)).example.events
        sentence = first_difference(failure.events, again)
        if sentence:
            return sentence
    return ""


def first_difference(before: Sequence[Event], again: Sequence[Event]) -> str:
    """Return where two plays of the same steps part: the step, the call, and what came of it each time."""
    step, calls = 0, dict[int, Invoked]()
    for then, now in zip_longest(before, again):
        if not alike(then, now):
            # A play that broke its claim ends there; one that did not goes on.
            call = calls.get(getattr(then, "call", None) or getattr(now, "call", None) or 0)
            who = _named(call) if call is not None else "the system"
            return (
                f"the system does not repeat itself: at step {step}, {who} {_came(then)} when it was "
                f"found, and {_came(now)} when the same steps were played again; make it depend on "
                "nothing but its input, its rows and timezone.now()"
            )
        if isinstance(then, StepBegan):
            step = then.step
        elif isinstance(then, Invoked):
            calls[then.call] = then
    return ""


_KEYS = re.compile(r"[0-9a-f]{4,}(?:-[0-9a-f]{4,})*|[0-9]+")
"""What looks like the key of a row."""


def alike(one: Event | None, other: Event | None) -> bool:
    """Return whether two events are equal but for the keys in an error's text, others in each play."""
    return one == other or _without_keys(one) == _without_keys(other)


def _without_keys(event: Event | None) -> Event | None:
    return replace(event, error=_KEYS.sub("#", event.error)) if isinstance(event, Raised) else event


def _named(call: Invoked) -> str:
    return f"{call.operation}{f' {call.job}' if call.job else ''} by {call.actor}"


def _came(event: Event | None) -> str:
    match event:
        case None:
            return "did nothing more"
        case Returned(answer=answer):
            return f"was {answer}"
        case Raised(error=error):
            return f"raised {error}"
        case Invoked():
            return f"went on to {_named(event)}"
    return f"showed {type(event).__name__}"
