"""What the search for an order of commits works on: calls, a job's lines, its possible states, and moves.

A log tells when a call was made and when it was answered, never when it committed.  So a job has not one
state but several possible ones; each is a value here, and the search steps from one to the next by moves.
"""

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
"""Stands for the row of a job that no answer has described yet; compared by identity."""


# Compared by identity: two calls with equal fields are still two calls.
@dataclass(eq=False, slots=True)
class Call:
    """One call on one job, from the line of the call to the line of its answer.  Times are seconds."""

    operation: Operation
    worker: str
    job: str
    tenant: str
    line: LogLine
    called_at: float
    attempt: int | None = None
    """The fencing token that a finish shows."""
    payload: str | None = None
    """The status that a close asks for; the result of a completion is not judged by its worker's word."""
    message: str | None = None
    answer: Answer | None = None
    logged_attempt: int | None = None
    """Attempt on the line of an accepted acquisition; None where the log does not name it."""
    written_attempt: int | None = None
    """Attempt that the acquisition wrote in the order found."""
    expires_at: float | None = None
    """End of the lease on the line of an accepted acquisition."""
    status: str | None = None
    reason: str | None = None
    """Why a prepare was refused, as its line says: see :data:`statemachine.logs.rules.REASONS`."""
    answered_at: float = inf
    ended_at: float | None = None
    """When it was certain that no answer comes (worker dead, error raised); None while one may come."""
    why: str = ""
    """Why no answer comes."""
    number: int = 0
    """Its number in the history; 0 until the history has its ``Invoked``."""
    recorded: bool = False
    """An accepted finish of which the log has only the line that it was done, without its attempt."""

    @property
    def acquires(self) -> bool:
        return self.operation in ACQUISITIONS

    @property
    def under_way(self) -> bool:
        """Whether an answer may still come."""
        return self.answer is None and self.ended_at is None

    @property
    def until(self) -> float:
        """The last moment at which it can have committed."""
        return self.answered_at if self.ended_at is None else self.ended_at


@dataclass(slots=True)
class WorkerSoFar:
    """What is known of a worker at this line of the log."""

    last_at: float
    """Seconds of its latest line."""
    calls: list[Call] = field(default_factory=list)
    """Its calls without an answer so far."""
    job: str | None = None
    """The job of the message that it received last."""


class LineMeaning(Enum):
    """What a line says about its job."""

    CALL = auto()
    ANSWER = auto()
    ROW = auto()
    EVENTS = auto()


class JobLine(NamedTuple):
    """One line about one job; which of the fields are set follows from ``meaning``."""

    meaning: LineMeaning
    line: LogLine
    call: Call | None = None
    row: JobRow | None = None
    events: tuple[Event, ...] = ()
    created: bool = False
    """``row`` is that of a creation: its line comes after the commit, so it is certain."""


class CallEffect(NamedTuple):
    """What a call does to the job in one possible state."""

    row: JobRow
    """The row that its commit leaves."""
    at: float
    """Second at which it decided: when it read its clock, not when it committed."""
    assumed: JobRow | None = None
    """The row that it must have found, where nothing was known of the row before."""
    slack: float = 0
    """Seconds by which the lease may end later than ``row`` says."""
    leased: bool = True
    """Whether a line names the end of the lease."""
    attempt_told: bool = True
    """Whether a line names the attempt of ``row``, or it is counted from one that does."""


class JobState(NamedTuple):
    """One possible state of a job between two of its lines."""

    row: JobRow | None = UNSEEN
    finisher: tuple[Operation, int | None] | None = None
    """Operation and attempt that ended or released the job, where an answer says so."""
    slack: float = 0
    """Seconds by which the lease may end later than ``row`` says: see :class:`CallEffect`."""
    waiting: tuple[Call, ...] = ()
    """Calls whose answer has not been reached."""
    written: frozenset[Call] = frozenset()
    """Those of ``waiting`` that have committed."""
    explained: frozenset[Call] = frozenset()
    """Those of ``waiting`` whose answer was right without a commit, at some moment since their call."""
    early: frozenset[Call] = frozenset()
    """Those of ``waiting`` that began while the row was unknown: a refusal may be about an older row."""
    ended: bool = False
    """The row is unknown, but an answer has said that it is terminal."""
    attempt_told: bool = True
    """Whether the attempt of ``row`` is certain: see :class:`CallEffect`."""
    told_of: bool = False
    """The row is unknown, but an answer has said that there is one: held by a worker, or terminal."""

    @property
    def unseen(self) -> bool:
        return self.row is UNSEEN

    @property
    def exists(self) -> bool:
        """Whether there is a row for certain, known or not."""
        return self.told_of if self.unseen else self.row is not None


class Commit(NamedTuple):
    """In the order found, ``call`` commits here."""

    call: Call
    effect: CallEffect
    state: JobState
    """The state that it finds."""


class Take(NamedTuple):
    """In the order found, this line comes here, when the job is in ``state``."""

    item: JobLine
    state: JobState
    refused_by: JobRow | None = None
    """The row with a lease that ends later than was known, which explains the refusal."""
    vague: bool = False
    """The refusal fits a row that may have been there before the log says anything of it."""


class Drop(NamedTuple):
    """In the order found, it is certain from here on that ``call`` has taken no effect."""

    call: Call


Move = Commit | Take | Drop


class FoundOrder(NamedTuple):
    """An order that explains the lines."""

    moves: Sequence[Move]
    state: JobState
    """The state in which it ends."""
    unexplained: int
    """How many lines no order explains; they are taken as they stand."""
    doubtful: bool = False
    """Another order explains the lines too, and lines to come may fit that one only."""
