"""The lifecycle of a leased job, as data: operations, statuses, durations and policies of one system.

The answer and the effect that each operation must have in each situation are the table in
``history/legality.py``.  Durations are seconds; times are seconds, UTC, from the start of a history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class LifecycleError(ValueError):
    """A lifecycle contradicts itself.  The message names the field, its value and the way out."""


class Operation(StrEnum):
    """What the verifier can ask of a system under test."""

    CREATE = "create"
    """Create a PENDING job."""
    PUBLISH = "publish"
    """Send the job's message and store that it was sent."""
    RECEIVE = "receive"
    """Take a message from the queue."""
    PREPARE = "prepare"
    """Take the job's lease, on the delivery of its message."""
    MARK_RUNNING = "mark_running"
    """Take the job's lease outside of any delivery."""
    EXTEND = "extend"
    """Hide the message for longer, during inference.  Optional."""
    RENEW = "renew"
    """Begin the attempt's lease anew, during inference: a heartbeat.  Optional."""
    COMPLETE = "complete"
    """End the job with a result."""
    FAIL = "fail"
    """End the job without a result."""
    RELEASE = "release"
    """Give the job back for another attempt.  Optional."""
    CLOSE = "close"
    """End the job in one of the lifecycle's further terminal statuses."""
    ACKNOWLEDGE = "acknowledge"
    """Delete the message."""
    RECOVER = "recover"
    """The sweep: send every job whose publisher died before it sent.  Optional."""


ACQUISITIONS = (Operation.PREPARE, Operation.MARK_RUNNING)
"""Operations that take the lease and hand out a new fencing token."""
FINISHES = (Operation.COMPLETE, Operation.FAIL, Operation.RELEASE, Operation.CLOSE)
"""Operations that end an attempt."""
FENCED = (*FINISHES, Operation.RENEW)
"""Operations of the attempt that owns the job; they show its fencing token."""
MESSAGE_STEPS = (Operation.RECEIVE, Operation.EXTEND, Operation.ACKNOWLEDGE)
"""Steps of a delivery that are about its message only: none of them writes to a job."""

DIRECT = (Operation.MARK_RUNNING, *FENCED)
"""Operations that code may call outside of any delivery; :attr:`Lifecycle.strays` says which it does."""

OPTIONAL = frozenset({Operation.EXTEND, Operation.RENEW, Operation.RELEASE, Operation.RECOVER})
"""Operations that a system may lack; :attr:`Lifecycle.offers` says which of them it has."""


class Answer(StrEnum):
    """How a call is answered."""

    ACCEPTED = "accepted"
    """Done, or done before by the same attempt."""
    REFUSED = "refused"
    """Not done, and nothing was written: ``None`` for an acquisition, ``False`` for a finish."""
    INTEGRITY_ERROR = "IntegrityError"
    """Raised by a creation whose id is taken."""


class JobRow(NamedTuple):
    """One job as the database shows it after a commit."""

    job: str  # its id
    tenant: str  # the tenant that owns it
    status: str  # one of the lifecycle's statuses
    attempt: int = 0  # the number of acquisitions; the latest one is the fencing token
    locked_by: str | None = None  # the worker id that holds the lease; all workers may share one
    lease_expires_at: float | None = None  # seconds from the start; None: not leased
    published_at: float | None = None  # seconds from the start; None: its message was not sent yet
    results: int = 0  # how many result rows it has
    result: str | None = None  # the payload of the first one


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The durations, statuses and policies of one system.

    Raises :class:`LifecycleError` when the fields contradict one another.  The defaults are those of the
    deployed system.  Its lease of 3540 s is the visibility timeout of 3600 s less a margin of 60 s, so that a
    message never returns to a worker while the lease of its previous receiver is live, as long as receive →
    prepare takes at most 60 s.

    >>> Lifecycle(lease_seconds=1740, visibility_seconds=1800, max_receives=5).late_completion.value
    'accepted'
    """

    lease_seconds: int = 3540
    """How long a lease lasts from its acquisition or renewal, in seconds."""
    visibility_seconds: int = 3600
    """The queue's visibility timeout: how long a received message stays hidden, in seconds."""
    max_receives: int = 3
    """How often a message may be received; the next receive moves it to the DLQ (``maxReceiveCount``)."""
    inference_cap_seconds: int = 3600
    """After how many seconds a worker cuts inference off."""
    recover_after_seconds: int = 60
    """From which age, in seconds, the sweep sends a PENDING job that was not published."""
    late_completion: Answer = Answer.ACCEPTED
    """Whether an attempt may finish or renew after its lease expired, while no other has taken over."""
    late_renewal: Answer | None = None
    """The same for renewals, where they differ; None: as ``late_completion``."""
    fenced: bool = True
    """Whether finishes show a fencing token.  False: any attempt may finish a job."""
    offers: frozenset[Operation] = frozenset({Operation.RELEASE, Operation.RECOVER})
    """Those of :data:`OPTIONAL` that the system has."""
    strays: frozenset[Operation] = frozenset(DIRECT)
    """Those of :data:`DIRECT` that any code of the system, an admin action or a script, calls directly.

    The verifier calls these outside of any delivery as well, also twice, late and with an old attempt.  Empty
    where nothing but a worker with a message in its hands can take or end a job.
    """
    pending: str = "PENDING"
    """The status of a job that was created and never acquired."""
    retrying: str = "RETRYING"
    """The status of a job that an attempt has released."""
    running: str = "RUNNING"
    """The status of a job under a lease, even one that has expired."""
    done: str = "DONE"
    """The status after a completion."""
    failed: str = "FAILED"
    """The status after a failure.  May equal ``done``: then a failure ends in DONE without a result."""
    further_terminal: tuple[str, ...] = ()
    """Statuses in which an attempt can close a job without a result, such as ``REVIEW_REQUIRED``."""
    terminal: frozenset[str] = field(init=False)
    """Derived: all statuses that no job leaves."""
    transitions: frozenset[tuple[str, str]] = field(init=False)
    """Derived: the legal (from, to) pairs of statuses.  RUNNING → RUNNING is a takeover or a renewal."""

    def __post_init__(self) -> None:
        # tuple("REVIEW") would be six statuses of one letter.
        if isinstance(self.further_terminal, str):
            raise LifecycleError(
                f"further_terminal is the text {self.further_terminal!r}: make it a tuple of statuses, "
                f"({self.further_terminal!r},)"
            )
        object.__setattr__(self, "offers", frozenset(self.offers))
        object.__setattr__(self, "strays", frozenset(self.strays))
        object.__setattr__(self, "further_terminal", tuple(self.further_terminal))
        ends = {self.done, self.failed}
        statuses = [self.pending, self.retrying, self.running, *sorted(ends), *self.further_terminal]
        if len(set(statuses)) < len(statuses):
            raise LifecycleError(
                f"the statuses {', '.join(statuses)} are not distinct: give each state a status of its own "
                "(only done and failed may be the same, where a failure ends in DONE by policy)"
            )
        strange = sorted(self.offers - OPTIONAL)
        if strange:
            raise LifecycleError(
                f"offers names {', '.join(strange)}: only {', '.join(sorted(OPTIONAL))} are optional, "
                "every system has the others"
            )
        strange = sorted(self.strays - frozenset(DIRECT))
        if strange:
            raise LifecycleError(
                f"strays names {', '.join(strange)}: only {', '.join(sorted(DIRECT))} can be called "
                "outside of a delivery; leave out the others"
            )
        for name in ("lease_seconds", "visibility_seconds", "max_receives", "inference_cap_seconds"):
            if getattr(self, name) < 1:
                raise LifecycleError(f"{name} is {getattr(self, name)}: it must be at least 1")
        if self.lease_seconds > self.visibility_seconds:
            raise LifecycleError(
                f"lease_seconds is {self.lease_seconds} and visibility_seconds {self.visibility_seconds}: "
                "a lease that outlives its message's invisibility burns a receive at every crash; "
                "make the lease at most the visibility timeout"
            )
        if self.recover_after_seconds < 0:
            raise LifecycleError(
                f"recover_after_seconds is {self.recover_after_seconds}: it must be at least 0"
            )
        for name in ("late_completion", "late_renewal"):
            policy = getattr(self, name)
            if policy is None and name == "late_renewal":
                continue  # as late_completion
            if policy not in (Answer.ACCEPTED, Answer.REFUSED):
                raise LifecycleError(f"{name} is {policy!r}: say Answer.ACCEPTED or Answer.REFUSED")
            object.__setattr__(self, name, Answer(policy))
        object.__setattr__(self, "terminal", frozenset({*ends, *self.further_terminal}))
        leaves_running = {self.running, self.retrying} | self.terminal
        object.__setattr__(
            self,
            "transitions",
            frozenset(
                {(self.pending, self.running), (self.retrying, self.running)}
                | {(self.running, status) for status in leaves_running}
            ),
        )

    def finished_status(self, operation: Operation, payload: str | None = None) -> str:
        """Return the status in which an accepted finish operation leaves its job.

        ``payload`` is the status that a close asks for; the others ignore it.
        """
        return {
            Operation.COMPLETE: self.done,
            Operation.FAIL: self.failed,
            Operation.RELEASE: self.retrying,
            Operation.CLOSE: payload or "",
        }[operation]

    def has(self, operation: Operation) -> bool:
        """Whether the system offers ``operation`` at all."""
        if operation is Operation.CLOSE:
            return bool(self.further_terminal)
        return operation not in OPTIONAL or operation in self.offers

    @property
    def finishes(self) -> tuple[Operation, ...]:
        """Return the finish operations that the system offers."""
        return tuple(operation for operation in FINISHES if self.has(operation))
