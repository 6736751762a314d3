"""What happened, as one append-only list of events.

Three producers write the same events: the in-process machine, a statement-level scheduler and logs
of real workers.  An operation is :class:`Invoked` and then :class:`Returned`, :class:`Raised` or
:class:`Unknown` (its caller was killed, or never heard), with its :class:`Committed` transactions and
the rows that were seen after each of them in between, so operations may overlap or die half way.

A history cannot show what nobody looked at: rows appear only in :class:`Observed`, after a commit.
Times (``at``) are seconds, UTC, from the start of the history.  Jobs and messages carry the number
of the step that created them, so that dropping an earlier step renames nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statemachine.history.log_events import Assumed as Assumed
from statemachine.history.log_events import MessagePlaced as MessagePlaced
from statemachine.history.log_events import RowRead as RowRead
from statemachine.lifecycle import Answer, JobRow, Operation


@dataclass(frozen=True, slots=True)
class StepBegan:
    """The machine chose a named operation; everything up to the next one belongs to it."""

    at: float
    step: int
    operation: str
    arguments: Mapping[str, Any]
    drain: bool = False


@dataclass(frozen=True, slots=True)
class ClockMoved:
    at: float
    since: float


@dataclass(frozen=True, slots=True)
class ClockSkewed:
    """From now on this worker's clock is ``seconds`` ahead of everybody else's, or behind."""

    at: float
    worker: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Invoked:
    """A call began.

    ``attempt`` is the fencing token shown; ``payload`` the result that a completion brings, or the status
    that a close asks for.
    """

    at: float
    call: int
    operation: Operation
    actor: str
    job: str
    tenant: str
    attempt: int | None = None
    payload: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class FaultStruck:
    at: float
    call: int
    fault: str


@dataclass(frozen=True, slots=True)
class StatementBegan:
    """A call executes this SQL statement, named as a DBA would: ``SELECT ai_job FOR UPDATE``, ``COMMIT``.

    Only a lane that plays statement by statement knows of them.
    """

    at: float
    call: int
    statement: str


@dataclass(frozen=True, slots=True)
class LockWaited:
    """The statement of ``call`` that began last waits for a row lock, which ``holder``, a call, holds."""

    at: float
    call: int
    holder: int


@dataclass(frozen=True, slots=True)
class LockGranted:
    """The wait of ``call`` is over: its statement was executed, or failed, when the holder ended."""

    at: float
    call: int


@dataclass(frozen=True, slots=True)
class Committed:
    at: float
    call: int


@dataclass(frozen=True, slots=True)
class Observed:
    """Committed rows that differ from the last observation; ``gone`` are jobs that have no row any more."""

    at: float
    call: int
    rows: tuple[JobRow, ...]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OthersCounted:
    """One aggregate over all rows that are not of this history's jobs, as text to be compared."""

    at: float
    aggregate: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The caller was answered; ``attempt`` is the fencing token that an acquisition handed out."""

    at: float
    call: int
    answer: Answer
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    at: float
    call: int
    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody will ever hear the answer; ``reason`` says why (killed, or the answer was lost)."""

    at: float
    call: int
    reason: str


@dataclass(frozen=True, slots=True)
class Killed:
    at: float
    worker: str
    boundary: str


@dataclass(frozen=True, slots=True)
class PublicationQueued:
    """A committed transaction handed its job to the publisher."""

    at: float
    call: int
    job: str
    tenant: str


@dataclass(frozen=True, slots=True)
class PublicationLost:
    """The process that was to publish this job died first."""

    at: float
    job: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A message entered the queue, to be visible ``delay`` seconds later.

    ``forged`` ones were sent by the world, not by the system; ``job`` is empty when the body cannot be read.
    """

    at: float
    message: str
    job: str
    tenant: str
    call: int | None = None
    forged: bool = False
    delay: float = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    at: float
    message: str
    receipt: str
    worker: str
    receive_count: int
    visible_at: float
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class DeleteRequested:
    """A worker asked for its message to be deleted; ``effective`` says whether the queue obeyed."""

    at: float
    message: str
    receipt: str
    worker: str
    effective: bool = True


@dataclass(frozen=True, slots=True)
class VisibilityChanged:
    at: float
    message: str
    receipt: str
    worker: str
    visible_at: float
    effective: bool = True


@dataclass(frozen=True, slots=True)
class DeadLettered:
    at: float
    message: str


@dataclass(frozen=True, slots=True)
class Redriven:
    """An operator moved a message from the DLQ back: a new id and a new receive count."""

    at: float
    message: str
    renewed: str


@dataclass(frozen=True, slots=True)
class MessageCameBack:
    """A deleted message is visible again, which SQS documents as rare and possible."""

    at: float
    message: str


@dataclass(frozen=True, slots=True)
class DrainBegan:
    at: float


@dataclass(frozen=True, slots=True)
class DrainEnded:
    """The drain is over; ``stuck`` is empty when all is quiet, else the proof that nothing can change."""

    at: float
    stuck: str = ""


Event = (
    StepBegan
    | ClockMoved
    | ClockSkewed
    | Invoked
    | FaultStruck
    | StatementBegan
    | LockWaited
    | LockGranted
    | Committed
    | Observed
    | OthersCounted
    | Returned
    | Raised
    | Unknown
    | Killed
    | PublicationQueued
    | PublicationLost
    | Sent
    | Delivered
    | DeleteRequested
    | VisibilityChanged
    | DeadLettered
    | Redriven
    | MessageCameBack
    | Assumed
    | MessagePlaced
    | RowRead
    | DrainBegan
    | DrainEnded
)
