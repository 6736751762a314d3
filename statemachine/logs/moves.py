"""What the lines of one job say, item by item, and the moves that an order of commits is made of."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from statemachine.history.events import Event
from statemachine.lifecycle import JobRow
from statemachine.logs.calls import Call, Outcome, World
from statemachine.logs.lines import Line


class Said(Enum):
    """What a line tells of its job."""

    CALL = auto()
    ANSWER = auto()
    ROW = auto()
    EVENTS = auto()


class Item(NamedTuple):
    """One line about a job: a call's or its answer's, a row, or plain events.

    A creation, which has an answer only, is a row that nobody doubts: ``created``.
    """

    said: Said
    line: Line
    call: Call | None = None
    row: JobRow | None = None
    events: tuple[Event, ...] = ()
    created: bool = False


class Commit(NamedTuple):
    """In the order that was found: this call commits now, while these are ``waiting``."""

    call: Call
    outcome: Outcome
    waiting: tuple[Call, ...] = ()


class Take(NamedTuple):
    """In the order that was found: this line comes now, in this state of the job.

    A refusal is explained by ``refused_by``, a lease that ends later than was known, or by a row that may
    have been there before anything was told of it: then it is ``vague``.
    """

    item: Item
    world: World
    refused_by: JobRow | None = None
    vague: bool = False


class Drop(NamedTuple):
    """In the order that was found: from here on it is certain that this call has taken no effect."""

    call: Call


Move = Commit | Take | Drop


class Found(NamedTuple):
    """An order that explains the lines, and the state that it ends in.

    ``unexplained`` is how many lines had to be taken as they stand.  ``doubtful`` says that another order
    explains them too, ends in another row, and differs in which calls without an answer took effect.
    """

    moves: Sequence[Move]
    world: World
    unexplained: int
    doubtful: bool = False
