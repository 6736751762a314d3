"""The lifecycle of a leased job, as data: operations, statuses, and the numbers of one deployed system.

Which answer and which effect each operation owes in each situation is the decision list in
``legality.py``.  All times are seconds, counted in UTC from the start of a history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class LifecycleError(ValueError):
    """The specification itself cannot be met; the message names the field, its value and the way out."""


class Operation(StrEnum):
    """What a system under test can be asked to do to a job."""

    CREATE = "create"
    PUBLISH = "publish"
    RECEIVE = "receive"
    PREPARE = "prepare"
    MARK_RUNNING = "mark_running"
    EXTEND = "extend"
    RENEW = "renew"
    COMPLETE = "complete"
    FAIL = "fail"
    RELEASE = "release"
    CLOSE = "close"
    ACKNOWLEDGE = "acknowledge"
    RECOVER = "recover"


ACQUISITIONS = (Operation.PREPARE, Operation.MARK_RUNNING)
FINISHES = (Operation.COMPLETE, Operation.FAIL, Operation.RELEASE, Operation.CLOSE)
FENCED = (*FINISHES, Operation.RENEW)
"""What an attempt does to the job that it owns, showing its token."""
MESSAGE_STEPS = (Operation.RECEIVE, Operation.EXTEND, Operation.ACKNOWLEDGE)
"""Steps of a delivery that are about its message only: none of them writes to a job."""

OPTIONAL = frozenset({Operation.EXTEND, Operation.RENEW, Operation.RELEASE, Operation.RECOVER})
"""What a system may do without; :attr:`Lifecycle.offers` says which of them it has."""


class Answer(StrEnum):
    """What a caller is told."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INTEGRITY_ERROR = "IntegrityError"


class JobRow(NamedTuple):
    """One job as the database shows it after a commit.

    ``attempt`` is the number of the latest acquisition, the fencing token; ``results`` counts the
    result rows and ``result`` is the payload of the first one.  Times are seconds from the start.
    """

    job: str
    tenant: str
    status: str
    attempt: int = 0
    locked_by: str | None = None
    lease_expires_at: float | None = None
    published_at: float | None = None
    results: int = 0
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The numbers, statuses and policies of one system.  Durations are seconds.

    The defaults are the deployed system's (gate report §1 step 4, §2.2): a lease of 3540 s is the
    visibility timeout of 3600 s less a margin of 60 s, so that a message never returns to a worker
    while the lease of its previous receiver is live, as long as receive → prepare takes ≤ 60 s.

    ``late_completion`` says what an attempt may still do, finish or renew, whose lease has expired and
    whom nobody has superseded; ``late_renewal`` says it for renewals where they differ.  ``fenced`` is
    False for a system whose finishes show no token.  ``offers`` are the optional operations that the
    system has.  A failure ends in DONE, without a result, where ``failed`` and ``done`` are the same
    status.  ``further_terminal`` are statuses in which an attempt can close a job without a result
    (``REVIEW_REQUIRED``, say).

    Raises :class:`LifecycleError` when the fields contradict one another.
    """

    lease_seconds: int = 3540
    visibility_seconds: int = 3600
    max_receives: int = 3
    inference_cap_seconds: int = 3600
    recover_after_seconds: int = 60
    late_completion: Answer = Answer.ACCEPTED
    late_renewal: Answer | None = None
    fenced: bool = True
    offers: frozenset[Operation] = frozenset({Operation.RELEASE, Operation.RECOVER})
    pending: str = "PENDING"
    retrying: str = "RETRYING"
    running: str = "RUNNING"
    done: str = "DONE"
    failed: str = "FAILED"
    further_terminal: tuple[str, ...] = ()
    terminal: frozenset[str] = field(init=False)
    transitions: frozenset[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.further_terminal, str):
            raise LifecycleError(
                f"further_terminal is the text {self.further_terminal!r}: make it a tuple of statuses, "
                f"({self.further_terminal!r},)"
            )
        object.__setattr__(self, "offers", frozenset(self.offers))
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
                continue
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
        """The status in which an accepted finish operation leaves its job.

        ``payload`` is what the operation brings: the status that a close asks for.
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
        """The finish operations that the system offers."""
        return tuple(operation for operation in FINISHES if self.has(operation))
