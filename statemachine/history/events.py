"""What happened, as one append-only list of events.

Three sources write the same events: the in-process machine, the statement-level scheduler, and logs of
real workers.  An operation is :class:`Invoked` and then :class:`Returned`, :class:`Raised` or
:class:`Unknown`; in between stand its :class:`Committed` transactions and, after each, the rows that it
changed, :class:`Observed`.  Operations may overlap, or end half way when their worker is killed.

A history cannot show what nobody looked at: rows appear only in :class:`Observed`, after a commit, and in
:class:`RowRead`.  Jobs and messages carry the number of the step that created them, so that dropping an
earlier step renames nothing.

Every event has ``at``, in seconds, UTC, from the start of the history.  The names of classes and fields are
those in the NDJSON files, so a saved history can be read by a later version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statemachine.lifecycle import Answer, JobRow, Operation

# -- steps and time -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepBegan:
    """The machine chose a named operation; everything up to the next one belongs to it."""

    at: float
    step: int  # its number; a replay keeps it when earlier steps are dropped.  In a log: the line
    operation: str  # its name in the plain test: create, deliver, kill_worker ...
    arguments: Mapping[str, Any]  # by name, what it was called with
    drain: bool = False  # it belongs to the drain, in which no faults strike


@dataclass(frozen=True, slots=True)
class ClockMoved:
    """The common clock was moved forward to ``at``."""

    at: float
    since: float  # the second before


@dataclass(frozen=True, slots=True)
class ClockSkewed:
    """From now on the clock of one worker differs from the common clock."""

    at: float
    worker: str
    seconds: float  # how far it is ahead; negative: behind


# -- calls ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Invoked:
    """A call of an operation began."""

    at: float
    call: int  # its number, which its later events carry
    operation: Operation
    actor: str  # a worker's name, application, publisher, sweep or stray
    job: str  # the job that it names; empty for a sweep
    tenant: str  # the tenant in whose name it is made
    attempt: int | None = None  # the fencing token that it shows, if any
    payload: str | None = None  # the result that a completion brings, or the status that a close asks for
    message: str | None = None  # the message on whose delivery it is made, if any


@dataclass(frozen=True, slots=True)
class FaultStruck:
    """The world made a call fail: a killed worker, a database error, a lost answer."""

    at: float
    call: int
    fault: str  # its name, such as error_before_commit; situations are counted under it


@dataclass(frozen=True, slots=True)
class StatementBegan:
    """A call executes an SQL statement.  Written only by the lane that plays statement by statement."""

    at: float
    call: int
    statement: str  # as a DBA would name it: ``SELECT ai_job FOR UPDATE``, ``COMMIT``


@dataclass(frozen=True, slots=True)
class LockWaited:
    """The latest statement of a call waits for a row lock."""

    at: float
    call: int
    holder: int  # the call that holds the lock


@dataclass(frozen=True, slots=True)
class LockGranted:
    """The wait of a call is over: the holder ended, and the statement was executed or failed."""

    at: float
    call: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction of a call was committed."""

    at: float
    call: int


@dataclass(frozen=True, slots=True)
class Observed:
    """The rows of this history's jobs that differ from the last observation, read after a commit."""

    at: float
    call: int  # the call that committed
    rows: tuple[JobRow, ...]  # those that are new or changed
    gone: tuple[str, ...] = ()  # jobs that have no row any more


@dataclass(frozen=True, slots=True)
class OthersCounted:
    """One aggregate over all rows of jobs that are not of this history, to see that none changes."""

    at: float
    aggregate: str  # compared as text


@dataclass(frozen=True, slots=True)
class Returned:
    """A call was answered."""

    at: float
    call: int
    answer: Answer
    attempt: int | None = None  # the fencing token that an acquisition handed out


@dataclass(frozen=True, slots=True)
class Raised:
    """A call ended in an exception that reached its caller."""

    at: float
    call: int
    error: str  # ``TypeName: message``


@dataclass(frozen=True, slots=True)
class Unknown:
    """A call ended without an answer: its caller was killed, or the answer was lost."""

    at: float
    call: int
    reason: str


@dataclass(frozen=True, slots=True)
class Killed:
    """A worker process died.  Its delivery ends; a new worker of the same name begins afresh."""

    at: float
    worker: str
    boundary: str  # where it was, such as after_prepare_commit; situations are counted under it


# -- the publisher and the queue ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublicationQueued:
    """A call handed a job over to the publisher."""

    at: float
    call: int
    job: str
    tenant: str


@dataclass(frozen=True, slots=True)
class PublicationLost:
    """The process that was to publish a job died first."""

    at: float
    job: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A message entered the queue."""

    at: float
    message: str
    job: str  # empty: its body cannot be read
    tenant: str
    call: int | None = None  # the call that sent it; None where the world did
    forged: bool = False  # sent by the world, not by the system under test
    delay: float = 0  # seconds until it can be received


@dataclass(frozen=True, slots=True)
class Delivered:
    """A worker received a message, which is hidden from others from now on."""

    at: float
    message: str
    receipt: str
    worker: str
    receive_count: int  # this receive included
    visible_at: float  # when it returns unless it is deleted
    duplicate: bool = False  # delivered although another receive had hidden it, as SQS may


@dataclass(frozen=True, slots=True)
class DeleteRequested:
    """A worker asked the queue to delete a message."""

    at: float
    message: str
    receipt: str
    worker: str
    effective: bool = True  # False: a later receive replaced the receipt, or the queue lost the request


@dataclass(frozen=True, slots=True)
class VisibilityChanged:
    """A worker asked the queue to hide a message for another length of time."""

    at: float
    message: str
    receipt: str
    worker: str
    visible_at: float  # when it is to return
    effective: bool = True  # False: a later receive replaced the receipt, or the message is gone


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A message that was received too often moved to the DLQ."""

    at: float
    message: str


@dataclass(frozen=True, slots=True)
class Redriven:
    """An operator moved a message from the DLQ back to the queue, with a new receive count."""

    at: float
    message: str  # the id that it had
    renewed: str  # the id that it has from now on


@dataclass(frozen=True, slots=True)
class MessageCameBack:
    """A deleted message is visible again, which AWS documents as rare and possible."""

    at: float
    message: str


# -- written only for logs ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assumed:
    """A row whose writing no line shows, taken to be there because a log begins in its middle."""

    at: float
    row: JobRow
    anew: bool = False  # forget what was known of the job: it contradicts itself


@dataclass(frozen=True, slots=True)
class MessagePlaced:
    """Where a message is although no line shows that it was sent or moved."""

    at: float
    message: str
    job: str
    tenant: str
    place: str  # queue, deleted or redriven


@dataclass(frozen=True, slots=True)
class RowRead:
    """A row was read from the database, at rest: it must agree with the answers."""

    at: float
    row: JobRow


# -- the drain ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DrainBegan:
    """Faults stop from now on, and workers go on until nothing is left to do."""

    at: float


@dataclass(frozen=True, slots=True)
class DrainEnded:
    """The drain is over."""

    at: float
    stuck: str = ""  # why the rest can never end; empty: nothing is left to do


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
