"""The worker of a render host: take a message, claim its order, render, finish, drop the message.

Each host runs several of these processes.  The queue hides a message for two minutes when it is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from renders.claims import Claim, claim, finish, heartbeat, is_over
from renders.models import State

HIDDEN_SECONDS = 120


class Message(NamedTuple):
    handle: str
    reference: str | None
    customer: str | None


@dataclass
class Shift:
    """One message in the hands of one process; ``todo`` is the function to call next, empty when done."""

    queue: Any
    host: str
    message: Message | None = None
    claim: Claim | None = None
    todo: str = "take"


def take(shift: Shift) -> bool:
    shift.message = shift.queue.take()
    # A message without a reference goes to the dead letters, for an operator to look at.
    shift.todo = "begin" if shift.message and shift.message.reference else ""
    return shift.message is not None


def begin(shift: Shift) -> Claim | None:
    reference, customer = shift.message.reference, shift.message.customer
    shift.claim = claim(reference, customer, shift.host)
    if shift.claim:
        shift.todo = "end"
    else:  # busy elsewhere: the message comes back by itself
        shift.todo = "drop" if is_over(reference, customer) else ""
    return shift.claim


def beat(shift: Shift) -> bool:
    """Called between two tiles, every half minute or so; False means: stop rendering, it is not yours."""
    alive = heartbeat(shift.claim)
    if alive:
        shift.queue.hide(shift.message.handle, HIDDEN_SECONDS)
    return alive


def end(shift: Shift, state: State, detail: str) -> bool:
    accepted = finish(shift.claim, state, detail)
    shift.todo = "drop" if accepted and state != State.POSTPONED else ""
    return accepted


def drop(shift: Shift) -> None:
    shift.queue.drop(shift.message.handle)
    shift.todo = ""


def work_once(queue: Any, host: str, render: Callable[..., tuple[State, str]]) -> bool:
    """Handle one message, if there is one.  ``render(claim, beat)`` returns how it ended."""
    shift = Shift(queue, host)
    received = take(shift)
    if shift.todo == "begin":
        begin(shift)
    if shift.todo == "end":
        state, detail = render(shift.claim, lambda: beat(shift))
        end(shift, state, detail)
    if shift.todo == "drop":
        drop(shift)
    return received
