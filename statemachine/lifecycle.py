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
    PREPARE = "prepare"
    MARK_RUNNING = "mark_running"
    COMPLETE = "complete"
    FAIL = "fail"
    RELEASE = "release"
    RECOVER = "recover"


ACQUISITIONS = (Operation.PREPARE, Operation.MARK_RUNNING)
FINISHES = (Operation.COMPLETE, Operation.FAIL, Operation.RELEASE)


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

    Raises :class:`LifecycleError` when the fields contradict one another.
    """

    lease_seconds: int = 3540
    visibility_seconds: int = 3600
    max_receives: int = 3
    inference_cap_seconds: int = 3600
    recover_after_seconds: int = 60
    late_completion: Answer = Answer.ACCEPTED
    pending: str = "PENDING"
    retrying: str = "RETRYING"
    running: str = "RUNNING"
    done: str = "DONE"
    failed: str = "FAILED"
    terminal: frozenset[str] = field(init=False)
    transitions: frozenset[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        statuses = [self.pending, self.retrying, self.running, self.done, self.failed]
        if len(set(statuses)) < len(statuses):
            raise LifecycleError(
                f"the statuses {', '.join(statuses)} are not distinct: give each state a status of its own"
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
        if self.late_completion not in (Answer.ACCEPTED, Answer.REFUSED):
            raise LifecycleError(
                f"late_completion is {self.late_completion!r}: say Answer.ACCEPTED or Answer.REFUSED"
            )
        object.__setattr__(self, "late_completion", Answer(self.late_completion))
        object.__setattr__(self, "terminal", frozenset({self.done, self.failed}))
        leaves_running = {self.running, self.done, self.failed, self.retrying}
        object.__setattr__(
            self,
            "transitions",
            frozenset(
                {(self.pending, self.running), (self.retrying, self.running)}
                | {(self.running, status) for status in leaves_running}
            ),
        )

    def finished_status(self, operation: Operation) -> str:
        """The status in which an accepted finish operation leaves its job."""
        return {
            Operation.COMPLETE: self.done,
            Operation.FAIL: self.failed,
            Operation.RELEASE: self.retrying,
        }[operation]
