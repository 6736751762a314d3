"""Direct calls outside of any delivery, without which several cells of the table are never reached."""

from __future__ import annotations

from statemachine.example import Example
from statemachine.lifecycle import FINISHES, Operation
from statemachine.operations.named import (
    LIVE_JOBS,
    NotPossible,
    Offer,
    Offers,
    Play,
    known_job,
    operation,
    other_tenant,
)

WHICH = {"current": 0, "previous": -1, "next": 1}
"""Which attempt a stray finish shows, counted from the row's; ``zero`` is attempt 0."""


def _stray_offers(example: Example) -> Offers:
    last = example.ledger.calls.get(example.current_call)
    just_finished = last.invoked.job if last and last.invoked.operation in FINISHES else None
    for job in example.jobs[-LIVE_JOBS:]:
        row = example.ledger.rows.get(job)
        if row is None:
            continue
        running = row.status == example.lifecycle.running
        for finish in FINISHES:
            # An attempt that has just finished, or lost the answer, may well call again: ``except: fail()``.
            if not running:
                weight = 4 if job == just_finished else 1
                yield Offer(weight, "stray", {"operation": str(finish), "job": job, "attempt": "current"})
            if row.attempt > 1:
                yield Offer(1, "stray", {"operation": str(finish), "job": job, "attempt": "previous"})
        yield Offer(1, "stray", {"operation": "complete", "job": job, "attempt": "zero"})
        yield Offer(1, "stray", {"operation": "fail", "job": job, "attempt": "next"})
        for finish in FINISHES:
            yield Offer(1, "stray", {"operation": str(finish), "job": job, "attempt": "foreign"})


@operation(_stray_offers, optional=True)
def stray(example: Example, operation: str, job: str, attempt: str) -> Play:
    """A finish is called outside of any delivery, with a token that somebody once had or made up.

    ``attempt`` is ``zero``, ``current``, ``previous`` or ``next``, or ``foreign``: the current one in the
    name of another tenant.
    """
    known_job(example, job)
    row = example.ledger.rows.get(job)
    if row is None:
        raise NotPossible(f"{job} has no row")
    if operation not in FINISHES:
        raise NotPossible(
            f"there is no finish operation {operation}; there are {', '.join(sorted(FINISHES))}"
        )
    if attempt not in ("zero", "foreign", *WHICH):
        raise NotPossible(f"there is no attempt {attempt}; say zero, foreign, {', '.join(WHICH)}")
    if attempt == "current" and row.status == example.lifecycle.running:
        raise NotPossible(
            f"{job} is RUNNING: a stray call with its current attempt would be its holder's own"
        )
    finish = Operation(operation)
    foreign = attempt == "foreign"
    token = 0 if attempt == "zero" else row.attempt + (0 if foreign else WHICH[attempt])
    tenant = other_tenant(example, job) if foreign else row.tenant
    method = {
        Operation.COMPLETE: example.binding.complete,
        Operation.FAIL: example.binding.fail,
        Operation.RELEASE: example.binding.release,
    }[finish]

    def play() -> None:
        payload = f"stray {operation}@{example.step_key}"
        example.call(
            finish,
            lambda: method(job, tenant, token, payload),
            actor="stray",
            job=job,
            tenant=tenant,
            attempt=token,
            payload=payload,
        )

    return play


def _stray_mark_running_offers(example: Example) -> Offers:
    for job in example.jobs[-LIVE_JOBS:]:
        # Without a message such an attempt would strand the job: nobody would ever come back for it.
        if example.ledger.messages_of(job) or example.ledger.is_terminal(job):
            yield Offer(1, "mark_running", {"job": job})
        yield Offer(1, "mark_running", {"job": job, "foreign": True})


@operation(_stray_mark_running_offers, optional=True)
def mark_running(example: Example, job: str, foreign: bool = False) -> Play:
    """The repository method in a unit of work of its own; the attempt that it begins has no worker."""
    known_job(example, job)
    row = example.ledger.rows.get(job)
    own = row.tenant if row is not None else example.binding.tenants[0]
    tenant = other_tenant(example, job) if foreign else own
    if not foreign and not (example.ledger.messages_of(job) or example.ledger.is_terminal(job)):
        raise NotPossible(f"{job} has no message that could bring it back: a stray attempt would strand it")
    return lambda: example.call(
        Operation.MARK_RUNNING,
        lambda: example.binding.mark_running(job, tenant),
        actor="stray",
        job=job,
        tenant=tenant,
    )
