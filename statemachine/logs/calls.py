"""A call as a log tells of it, and the states of a job that are thinkable while calls are under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf
from typing import Final, NamedTuple

from statemachine.history.events import Event
from statemachine.lifecycle import ACQUISITIONS, Answer, JobRow, Operation
from statemachine.logs.lines import LogLine

UNSEEN: Final = JobRow("", "", "(not told)")
"""Stands for the row of a job of which no answer has told yet; compared by identity."""


@dataclass(eq=False, slots=True)
class Call:
    """One call on one job, from the line of its call to the line of its answer.  Times are seconds.

    ``payload`` is the status that a close asks for: the result of a completion is not judged by what its
    worker says of it.  ``told`` and ``expires_at`` are the attempt and the lease that an accepted
    acquisition was told of, ``given`` the attempt that it wrote as far as the lines tell.
    A call without an answer ended at ``ended_at``, by which time its worker was dead or heard an error,
    for the reason ``why``; while that is None too, its worker may still be waiting.  ``number`` is 0 until
    the history has been told of it.  ``recorded`` is an accepted finish of which there is only the line that
    it was done, without its attempt.
    """

    operation: Operation
    worker: str
    job: str
    tenant: str
    line: LogLine
    called_at: float
    attempt: int | None = None
    payload: str | None = None
    message: str | None = None
    answer: Answer | None = None
    told: int | None = None
    given: int | None = None
    expires_at: float | None = None
    status: str | None = None
    reason: str | None = None
    answered_at: float = inf
    ended_at: float | None = None
    why: str = ""
    number: int = 0
    recorded: bool = False

    @property
    def acquires(self) -> bool:
        return self.operation in ACQUISITIONS

    @property
    def under_way(self) -> bool:
        """Whether an answer may still come."""
        return self.answer is None and self.ended_at is None

    @property
    def until(self) -> float:
        """The last moment at which it can have taken effect."""
        return self.answered_at if self.ended_at is None else self.ended_at


@dataclass(slots=True)
class WorkerSoFar:
    """What is known of a worker: when it last said something, its calls under way, its job in hand."""

    last_at: float
    calls: list[Call] = field(default_factory=list)
    job: str | None = None


class CallEffect(NamedTuple):
    """What a call comes to in one state: the row that it leaves, decided at second ``at``.

    ``assumed`` is the row that it must have found where none was told of before.  ``slack`` is by how many
    seconds the lease may end later than ``row`` says, ``leased`` whether a line has told its end.
    """

    row: JobRow
    at: float
    assumed: JobRow | None = None
    slack: float = 0
    leased: bool = True


class JobState(NamedTuple):
    """One thinkable state of a job.

    ``finisher`` is the operation and the attempt that left the row as it is, where an answer says so.
    ``waiting`` are calls without their answer so far, ``written`` those of them that have committed,
    ``heard`` those whose answer was right at some moment since their call, without a commit.
    ``early`` are waiting calls that began before anything was told of the row: a refusal of theirs may be
    about a row that was there before.  ``ended`` says that somebody was told of an unseen row that it is
    terminal.
    """

    row: JobRow | None = UNSEEN
    finisher: tuple[Operation, int | None] | None = None
    slack: float = 0
    waiting: tuple[Call, ...] = ()
    written: frozenset[Call] = frozenset()
    heard: frozenset[Call] = frozenset()
    early: frozenset[Call] = frozenset()
    ended: bool = False

    @property
    def unseen(self) -> bool:
        return self.row is UNSEEN


class LineMeaning(Enum):
    """What a line tells of its job."""

    CALL = auto()
    ANSWER = auto()
    ROW = auto()
    EVENTS = auto()


class JobLine(NamedTuple):
    """One line about a job: a call's or its answer's, a row, or plain events.

    A creation, which has an answer only, is a row that nobody doubts: ``created``.
    """

    said: LineMeaning
    line: LogLine
    call: Call | None = None
    row: JobRow | None = None
    events: tuple[Event, ...] = ()
    created: bool = False


class Commit(NamedTuple):
    """In the order that was found: this call commits now, while these are ``waiting``."""

    call: Call
    outcome: CallEffect
    waiting: tuple[Call, ...] = ()


class Take(NamedTuple):
    """In the order that was found: this line comes now, in this state of the job.

    A refusal is explained by ``refused_by``, a lease that ends later than was known, or by a row that may
    have been there before anything was told of it: then it is ``vague``.
    """

    item: JobLine
    world: JobState
    refused_by: JobRow | None = None
    vague: bool = False


class Drop(NamedTuple):
    """In the order that was found: from here on it is certain that this call has taken no effect."""

    call: Call


Move = Commit | Take | Drop


class FoundOrder(NamedTuple):
    """An order that explains the lines, and the state that it ends in.

    ``unexplained`` is how many lines had to be taken as they stand.  ``doubtful`` says that another order
    explains them too, ends in another row, and differs in which calls without an answer took effect.
    """

    moves: Sequence[Move]
    world: JobState
    unexplained: int
    doubtful: bool = False
