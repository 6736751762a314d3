"""How one worker takes one step of its delivery procedure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from statemachine.binding import DELIVERY_STEPS, BindingError
from statemachine.history import events as history
from statemachine.lifecycle import Operation
from statemachine.world.example import Example
from statemachine.world.faults import Strike
from statemachine.world.ports import WorkerQueue


def receive_message(
    example: Example, worker: str, message: str, *, duplicate: bool = False, strike: Strike | None = None
) -> None:
    """Let ``worker`` run the receive step of a new delivery procedure, which gets this message."""
    slot = example.workers[worker]
    port = WorkerQueue(example, slot, message, duplicate)
    delivery = slot.delivery = example.binding.deliver(worker, port)
    slot.answered_at = None
    _check_begins(example, worker)
    received = False

    def receive() -> None:
        nonlocal received
        received = delivery.receive()

    take_message_step(example, Operation.RECEIVE, worker, receive, strike)
    if not received:
        slot.forget()


def _check_begins(example: Example, worker: str) -> None:
    check_next_step(example, worker)
    step = example.workers[worker].next_step
    if step != "receive":
        raise BindingError(
            f"a new delivery of worker {worker} says next_step {step!r}: it begins with 'receive', and "
            "deliver() makes a new one for each message"
        )


def take_message_step(
    example: Example, operation: Operation, worker: str, run: Callable[[], Any], strike: Strike | None
) -> None:
    """Take a step that concerns the message only; an error that it raises kills its worker."""
    slot = example.workers[worker]
    # What a receive will bring is not known before.
    job, tenant = ("", "") if operation is Operation.RECEIVE else (slot.job, slot.tenant)
    end = example.call(operation, run, actor=worker, job=job, tenant=tenant, strike=strike)
    if isinstance(end, history.Raised):
        kind, _, said = end.error.partition(": ")
        example.kill(worker, f"{kind} in {operation}: {said}")
    check_next_step(example, worker)


def take_job_step(
    example: Example,
    operation: Operation,
    worker: str,
    run: Callable[[], Any],
    strike: Strike | None,
    *,
    attempt: int | None = None,
    payload: str | None = None,
) -> None:
    """Take a step that concerns the job which the worker's message names."""
    slot = example.workers[worker]
    example.call(
        operation,
        run,
        actor=worker,
        job=slot.job,
        tenant=slot.tenant,
        attempt=attempt,
        payload=payload,
        message=slot.message,
        strike=strike,
    )
    check_next_step(example, worker)


def check_next_step(example: Example, worker: str) -> None:
    """Raise ``BindingError`` when the delivery's ``next_step`` is none of ``DELIVERY_STEPS``."""
    step: object = example.workers[worker].next_step
    if callable(step):
        raise BindingError(
            f"the delivery of worker {worker} has a method next_step: make it a @property or an attribute, "
            f"it is read and not called, and must be None or one of {', '.join(DELIVERY_STEPS)}"
        )
    if step is not None and step not in DELIVERY_STEPS:
        raise BindingError(
            f"the delivery of worker {worker} says next_step {step!r}: "
            f"it must be None or one of {', '.join(DELIVERY_STEPS)}"
        )
