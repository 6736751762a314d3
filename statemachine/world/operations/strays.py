"""Direct calls outside of any delivery, without which some cells of the legality table are never reached.

Complete and fail on PENDING, with a future attempt or a foreign tenant: measured, exactly 0 without these.
"""

from __future__ import annotations

from collections.abc import Callable

from statemachine.lifecycle import FINISHES, Operation
from statemachine.world.example import Example
from statemachine.world.operations.deliveries import payload_of
from statemachine.world.operations.named import (
    LIVE_JOBS,
    STRAY,
    NotPossible,
    Offer,
    Offers,
    Play,
    Unplayable,
    known_job,
    operation,
    other_tenant,
)

WHICH = {"current": 0, "previous": -1, "next": 1}
"""Which attempt a stray call shows, counted from the row's; ``zero`` is attempt 0."""


def _methods(example: Example) -> dict[Operation, Callable[[str, str, int, str], bool]]:
    """Return the direct calls of this system that take an attempt number, its fencing token."""
    binding, has = example.binding, example.lifecycle.has
    methods: dict[Operation, Callable[[str, str, int, str], bool]] = {
        Operation.COMPLETE: binding.complete,
        Operation.FAIL: binding.fail,
    }
    if has(Operation.RELEASE):
        methods[Operation.RELEASE] = binding.release
    if has(Operation.CLOSE):
        methods[Operation.CLOSE] = binding.close
    if has(Operation.RENEW):
        methods[Operation.RENEW] = lambda job, tenant, attempt, _: binding.renew(job, tenant, attempt)
    return {named: method for named, method in methods.items() if named in example.lifecycle.strays}


def _stray_offers(example: Example) -> Offers:
    last = example.ledger.calls.get(example.current_call)
    just_finished = last.invoked.job if last and last.invoked.operation in FINISHES else None
    methods = _methods(example)
    for job in example.jobs[-LIVE_JOBS:]:
        row = example.ledger.rows.get(job)
        if row is None:
            continue
        running = row.status == example.lifecycle.running
        for named in methods:
            # Code that has just finished, or lost the answer, often calls again (``except: fail()``).  After
            # deadline-directed time this moved the catch rate most.
            if not running:
                weight = 8 if job == just_finished else 2
                yield Offer(weight, "stray", {"operation": str(named), "job": job, "attempt": "current"})
            if row.attempt > 1:
                yield Offer(2, "stray", {"operation": str(named), "job": job, "attempt": "previous"})
        if Operation.COMPLETE in methods:
            yield Offer(2, "stray", {"operation": "complete", "job": job, "attempt": "zero"})
        if Operation.FAIL in methods:
            yield Offer(2, "stray", {"operation": "fail", "job": job, "attempt": "next"})
        for named in methods:
            yield Offer(2, "stray", {"operation": str(named), "job": job, "attempt": "foreign"})


@operation(_stray_offers, optional=True, made_by=STRAY)
def stray(example: Example, operation: str, job: str, attempt: str) -> Play:
    """A finish or a renewal is called outside of any delivery, with an old, a present or an invented token.

    ``attempt`` is ``zero``, ``current``, ``previous`` or ``next``, or ``foreign``: the current one in the
    name of another tenant.
    """
    known_job(example, job)
    row = example.ledger.rows.get(job)
    if row is None:
        raise NotPossible(f"{job} has no row")
    methods = _methods(example)
    if operation not in methods:
        raise Unplayable(
            f"there is no direct call {operation} that shows a token; the lifecycle's strays have "
            f"{', '.join(sorted(methods)) or 'none'}"
        )
    if attempt not in ("zero", "foreign", *WHICH):
        raise Unplayable(f"there is no attempt {attempt}; say zero, foreign, {', '.join(WHICH)}")
    if attempt == "current" and row.status == example.lifecycle.running:
        raise NotPossible(
            f"{job} is RUNNING: a stray call with its current attempt would be its holder's own"
        )
    named = Operation(operation)
    foreign = attempt == "foreign"
    token = 0 if attempt == "zero" else row.attempt + (0 if foreign else WHICH[attempt])
    tenant = other_tenant(example, job) if foreign else row.tenant

    def play() -> None:
        payload = payload_of(example, named, "stray ")
        example.call(
            named,
            lambda: methods[named](example.ids.of(job), tenant, token, payload),
            actor=STRAY,
            job=job,
            tenant=tenant,
            attempt=token,
            payload=payload,
        )

    return play


def _stray_mark_running_offers(example: Example) -> Offers:
    if Operation.MARK_RUNNING not in example.lifecycle.strays:
        return
    for job in example.jobs[-LIVE_JOBS:]:
        # Without a message such an attempt would strand the job: no delivery would ever take it over.
        if example.ledger.messages_of(job) or example.ledger.is_terminal(job):
            yield Offer(2, "mark_running", {"job": job})
        yield Offer(2, "mark_running", {"job": job, "foreign": True})


@operation(_stray_mark_running_offers, optional=True, made_by=STRAY)
def mark_running(example: Example, job: str, foreign: bool = False) -> Play:
    """The repository method in a unit of work of its own; the attempt that it begins has no worker."""
    if Operation.MARK_RUNNING not in example.lifecycle.strays:
        raise Unplayable("there is no direct call mark_running: the lifecycle's strays leave it out")
    known_job(example, job)
    row = example.ledger.rows.get(job)
    own = row.tenant if row is not None else example.binding.tenants[0]
    tenant = other_tenant(example, job) if foreign else own
    if not foreign and not (example.ledger.messages_of(job) or example.ledger.is_terminal(job)):
        raise NotPossible(f"{job} has no message that could bring it back: a stray attempt would strand it")

    def play() -> None:
        example.call(
            Operation.MARK_RUNNING,
            lambda: example.binding.mark_running(example.ids.of(job), tenant),
            actor=STRAY,
            job=job,
            tenant=tenant,
        )

    return play
