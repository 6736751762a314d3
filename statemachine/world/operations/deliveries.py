"""A worker and its message: receive, prepare, finish, acknowledge; duplicates; death between two steps."""

from __future__ import annotations

from collections.abc import Callable

from statemachine.binding import Delivery
from statemachine.lifecycle import FINISHES, Operation
from statemachine.world.example import Example
from statemachine.world.faults import BETWEEN_STEPS
from statemachine.world.operations.named import (
    A_WORKER,
    NotPossible,
    Offer,
    Offers,
    Play,
    at_step,
    delivery_at,
    first_idle,
    idle_slot,
    operation,
    present,
    slot_of,
)
from statemachine.world.operations.stepping import receive_message, take_job_step, take_message_step
from statemachine.world.operations.strikes import strike_named, with_faults
from statemachine.world.workers import Slot


def _receive_offers(example: Example) -> Offers:
    worker = first_idle(example)
    if worker is not None:
        for message in example.queue.visible():
            yield Offer(16, "receive", {"worker": worker, "message": message.name})


@operation(_receive_offers, made_by=A_WORKER)
def receive(example: Example, worker: str, message: str, fault: str | None = None, at: int = 1) -> Play:
    """A worker receives a visible message; when its receives are used up it goes to the DLQ instead."""
    idle_slot(example, worker)
    present(example.queue.messages, message, "in the queue")
    if example.queue.messages[message].visible_at > example.now:
        raise NotPossible(f"message {message} is hidden until {example.queue.messages[message].visible_at:g}")
    strike = strike_named(fault, at)
    return lambda: receive_message(example, worker, message, strike=strike)


def _prepare_offers(example: Example) -> Offers:
    for slot in at_step(example, "prepare"):
        arguments = {"worker": slot.name}
        if example.ledger.lease_is_live(slot.job) or example.ledger.is_terminal(slot.job):
            yield Offer(24, "prepare", arguments)
        else:
            yield with_faults(24, "prepare", arguments)


@operation(_prepare_offers, made_by=A_WORKER)
def prepare(example: Example, worker: str, fault: str | None = None, at: int = 1) -> Play:
    """A worker asks for the lease of the job that its message names."""
    slot, delivery = delivery_at(example, worker, "prepare")
    strike = strike_named(fault, at)

    def play() -> None:
        take_job_step(example, Operation.PREPARE, worker, delivery.prepare, strike)
        if slot.next_step == "finish":
            slot.answered_at = example.now

    return play


def _owns_its_job(example: Example, slot: Slot[Delivery]) -> bool:
    seen, holder = example.ledger.deliveries.get(slot.name), example.ledger.holders.get(slot.job)
    return seen is not None and holder is not None and seen.attempt == holder.attempt


_FINISH_WEIGHTS = {
    Operation.COMPLETE: 12,
    Operation.FAIL: 4,
    Operation.RELEASE: 6,
    Operation.CLOSE: 4,
}


def _finish_offers(finish: Operation) -> Callable[[Example], Offers]:
    def offers(example: Example) -> Offers:
        if not example.lifecycle.has(finish):
            return
        for slot in at_step(example, "finish"):
            if _owns_its_job(example, slot):
                yield with_faults(_FINISH_WEIGHTS[finish], str(finish), {"worker": slot.name})
            else:
                yield Offer(_FINISH_WEIGHTS[finish], str(finish), {"worker": slot.name})

    return offers


def payload_of(example: Example, finish: Operation, label: str = "") -> str:
    """Return what a finish passes in this step: a status for a close, else a text that occurs only once.

    Unique, so that the row says which call has written it.
    """
    further = example.lifecycle.further_terminal
    if finish is Operation.CLOSE:
        return further[example.step_key % len(further)]
    return f"{label}{finish}@{example.step_key}"


def _finish(finish: Operation) -> Callable[..., Play]:
    def plan(example: Example, worker: str, fault: str | None = None, at: int = 1) -> Play:
        if not example.lifecycle.has(finish):
            raise NotPossible(f"this system has no {finish}: its lifecycle says so")
        _, delivery = delivery_at(example, worker, "finish")
        strike = strike_named(fault, at)
        seen = example.ledger.deliveries.get(worker)

        def play() -> None:
            payload = payload_of(example, finish)
            take_job_step(
                example,
                finish,
                worker,
                lambda: delivery.finish(finish, payload),
                strike,
                attempt=seen.attempt if seen else None,
                payload=payload,
            )

        return play

    plan.__name__ = str(finish)
    plan.__doc__ = f"Inference ends and its worker calls {finish}, in time or long after its lease."
    return plan


complete, fail, release, close = (
    operation(_finish_offers(finish), made_by=A_WORKER)(_finish(finish)) for finish in FINISHES
)


def _renew_offers(example: Example) -> Offers:
    if not example.lifecycle.has(Operation.RENEW):
        return
    for slot in at_step(example, "finish"):
        if _owns_its_job(example, slot):
            yield with_faults(6, "renew", {"worker": slot.name})
        else:
            yield Offer(6, "renew", {"worker": slot.name})


@operation(_renew_offers, made_by=A_WORKER)
def renew(example: Example, worker: str, fault: str | None = None, at: int = 1) -> Play:
    """A heartbeat: the worker renews the lease of the job that it works on."""
    if not example.lifecycle.has(Operation.RENEW):
        raise NotPossible("this system renews no leases: its lifecycle says so")
    _, delivery = delivery_at(example, worker, "finish")
    strike = strike_named(fault, at)
    seen = example.ledger.deliveries.get(worker)
    attempt = seen.attempt if seen else None
    return lambda: take_job_step(example, Operation.RENEW, worker, delivery.renew, strike, attempt=attempt)


def _extend_offers(example: Example) -> Offers:
    if example.lifecycle.has(Operation.EXTEND):
        for slot in at_step(example, "finish"):
            yield with_faults(3, "extend", {"worker": slot.name})


@operation(_extend_offers, made_by=A_WORKER)
def extend(example: Example, worker: str, fault: str | None = None, at: int = 1) -> Play:
    """A worker that is still at work hides its message for longer."""
    if not example.lifecycle.has(Operation.EXTEND):
        raise NotPossible("this system extends no visibility: its lifecycle says so")
    _, delivery = delivery_at(example, worker, "finish")
    strike = strike_named(fault, at)
    return lambda: take_message_step(example, Operation.EXTEND, worker, delivery.extend, strike)


def _acknowledge_offers(example: Example) -> Offers:
    for slot in at_step(example, "acknowledge"):
        yield with_faults(20, "acknowledge", {"worker": slot.name})


@operation(_acknowledge_offers, made_by=A_WORKER)
def acknowledge(example: Example, worker: str, fault: str | None = None, at: int = 1) -> Play:
    """A worker deletes its message."""
    _, delivery = delivery_at(example, worker, "acknowledge")
    strike = strike_named(fault, at)
    return lambda: take_message_step(example, Operation.ACKNOWLEDGE, worker, delivery.acknowledge, strike)


def _duplicate_offers(example: Example) -> Offers:
    worker = first_idle(example)
    if worker is None:
        return
    for message in example.queue.in_flight():
        if message.receive_count < example.lifecycle.max_receives:
            weight = 12 if example.ledger.lease_is_live(message.job) else 4
            yield Offer(weight, "duplicate", {"worker": worker, "message": message.name})


@operation(_duplicate_offers, optional=True, made_by=A_WORKER)
def duplicate(example: Example, worker: str, message: str) -> Play:
    """SQS delivers a hidden message once more: at least once is not exactly once."""
    idle_slot(example, worker)
    present(example.queue.messages, message, "in the queue")
    stored = example.queue.messages[message]
    if stored not in example.queue.in_flight() or stored.receive_count >= example.lifecycle.max_receives:
        raise NotPossible(
            f"message {message} is not in flight or has used up its receives: receive it instead"
        )
    return lambda: receive_message(example, worker, message, duplicate=True)


def _kill_worker_offers(example: Example) -> Offers:
    for slot in example.workers.values():
        if slot.next_step in BETWEEN_STEPS and slot.name not in example.in_flight:
            yield Offer(2, "kill_worker", {"worker": slot.name})


@operation(_kill_worker_offers, optional=True)
def kill_worker(example: Example, worker: str) -> Play:
    """A worker dies between two steps."""
    slot = slot_of(example, worker)
    if slot.next_step not in BETWEEN_STEPS:
        raise NotPossible(f"worker {worker} is idle: killing it changes nothing")
    where = BETWEEN_STEPS[slot.next_step]
    return lambda: example.kill(worker, where)
