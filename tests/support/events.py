"""Terse words for literal histories, so that a case shows little but what breaks the claim.

One job ``j1`` of tenant ``t1``, one call a step, and both carry the same number.  Times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.invariants import Compared, Invariant, Judge, Violation
from statemachine.invariants.judge import judge
from statemachine.lifecycle import Answer, JobRow, Lifecycle, Operation

LEASE = 3540
OURS = Lifecycle()
RENEWS = Lifecycle(offers=OURS.offers | {Operation.RENEW})
REVIEWS = Lifecycle(further_terminal=("REVIEW_REQUIRED", "CANCELLED"))
ONE_END = Lifecycle(failed="DONE")
UNFENCED = Lifecycle(fenced=False)
YES, NO = Answer.ACCEPTED, Answer.REFUSED
TAKEN = "IntegrityError: job_id is taken"
Outcome = Answer | str | None
AT_LEAST_ONCE = range(1, 1000)


def exactly(times: int) -> range:
    return range(times, times + 1)


@dataclass(frozen=True)
class Case:
    """A history that breaks a claim, all that the claim must say of it, and the nearest legal history.

    ``judged`` says how often the claim judges the legal one; where it must pass something over, exactly.
    """

    name: str
    claim: Invariant
    breaks: Sequence[Event]
    expected: Violation
    near_miss: Sequence[Event]
    lifecycle: Lifecycle = OURS
    judged: range = AT_LEAST_ONCE

    @property
    def broken(self) -> Judge:
        return judge(self.lifecycle, [self.claim], self.breaks)

    @property
    def legal(self) -> Judge:
        return judge(self.lifecycle, [self.claim], self.near_miss)

    def __str__(self) -> str:
        return f"{self.claim.name}: {self.name}"


def violation(
    claim: Invariant, step: int, at: float, story: str, *compared: tuple[str, str, str], subject: str = "j1"
) -> Violation:
    return Violation(claim.name, subject, step, at, story, tuple(Compared(*line) for line in compared))


PENDING = JobRow("j1", "t1", "PENDING")


def running(attempt: int = 1, until: float = LEASE) -> JobRow:
    return JobRow("j1", "t1", "RUNNING", attempt, "w", until)


def retrying(attempt: int = 1) -> JobRow:
    return JobRow("j1", "t1", "RETRYING", attempt)


def done(attempt: int = 1, result: str | None = "a", results: int = 1) -> JobRow:
    return JobRow("j1", "t1", "DONE", attempt, results=results, result=result)


def failed(attempt: int = 1) -> JobRow:
    return JobRow("j1", "t1", "FAILED", attempt)


def step(number: int, operation: str = "", at: float = 0) -> Event:
    return history.StepBegan(at, number, operation, {})


def invoked(
    call: int,
    operation: str,
    by: str = "A",
    at: float = 0,
    *,
    job: str = "j1",
    tenant: str = "t1",
    attempt: int | None = None,
    payload: str | None = None,
) -> Event:
    brings = "a" if operation == "complete" else payload
    return history.Invoked(at, call, Operation(operation), by, job, tenant, attempt, brings)


def struck(call: int, at: float = 0, fault: str = "error_before_commit") -> Event:
    return history.FaultStruck(at, call, fault)


def committed(call: int, at: float = 0) -> Event:
    return history.Committed(at, call)


def observed(call: int, *rows: JobRow, at: float = 0, gone: tuple[str, ...] = ()) -> Event:
    return history.Observed(at, call, rows, gone)


def returned(call: int, answer: Answer = YES, at: float = 0, attempt: int | None = None) -> Event:
    return history.Returned(at, call, answer, attempt)


def raised(call: int, error: str, at: float = 0) -> Event:
    return history.Raised(at, call, error)


def killed(call: int, at: float = 0) -> Event:
    return history.Unknown(at, call, "killed")


def clock(to: float) -> Event:
    return history.ClockMoved(to, 0)


def skewed(worker: str, seconds: float) -> Event:
    return history.ClockSkewed(0, worker, seconds)


def others(aggregate: str, at: float = 0) -> Event:
    return history.OthersCounted(at, aggregate)


def call(
    number: int,
    operation: str,
    by: str = "A",
    at: float = 0,
    *,
    job: str = "j1",
    tenant: str = "t1",
    attempt: int | None = None,
    payload: str | None = None,
    leaves: Sequence[JobRow] = (),
    answer: Outcome = YES,
    told: int | None = None,
) -> list[Event]:
    """A whole step: invoked, committed and observed if it ``leaves`` rows changed, answered.

    ``answer`` is an error when it is a text, and None when the caller was killed.
    """
    events = [
        step(number, operation, at),
        invoked(number, operation, by, at, job=job, tenant=tenant, attempt=attempt, payload=payload),
    ]
    if leaves:
        events += [committed(number, at), observed(number, *leaves, at=at)]
    if answer is None:
        return [*events, killed(number, at)]
    if isinstance(answer, Answer):
        return [*events, returned(number, answer, at, told)]
    return [*events, raised(number, answer, at)]


def created(number: int = 1, row: JobRow = PENDING) -> list[Event]:
    return call(number, "create", "application", job=row.job, tenant=row.tenant, leaves=[row])


def prepared(number: int, by: str = "A", at: float = 0, attempt: int = 1) -> list[Event]:
    """An accepted prepare that does all it should."""
    return call(number, "prepare", by, at, leaves=[running(attempt, at + LEASE)], told=attempt)


def finished(number: int, operation: str, row: JobRow, by: str = "A", at: float = 0) -> list[Event]:
    """An accepted complete, fail, release or close by the attempt that ``row`` names."""
    payload = row.status if operation == "close" else None
    return call(number, operation, by, at, attempt=row.attempt, payload=payload, leaves=[row])


def swept(number: int, at: float, *events: Event) -> list[Event]:
    """A sweep in which ``events`` happen, and which returns."""
    asked = invoked(number, "recover", "sweep", at, job="", tenant="")
    return [step(number, "recover", at), asked, *events, returned(number, at=at)]


def sent(
    message: str = "m1",
    job: str = "j1",
    tenant: str = "t1",
    *,
    at: float = 0,
    call: int | None = None,
    forged: bool = False,
) -> Event:
    return history.Sent(at, message, job, tenant, call, forged)


def handed_over(call: int, job: str = "j1", tenant: str = "t1") -> Event:
    return history.PublicationQueued(0, call, job, tenant)


def delivered(message: str = "m1", to: str = "A", at: float = 0) -> Event:
    return history.Delivered(at, message, f"{message}#1", to, 1, at + 3600)


def delete_requested(message: str = "m1", by: str = "A", at: float = 0, effective: bool = True) -> Event:
    return history.DeleteRequested(at, message, f"{message}#1", by, effective)


def made_visible(
    from_: float, message: str = "m1", by: str = "A", at: float = 0, effective: bool = True
) -> Event:
    return history.VisibilityChanged(at, message, f"{message}#1", by, from_, effective)
