"""A worker and its message: receive, prepare, finish, acknowledge; duplicates; death between two steps."""

from __future__ import annotations

from collections.abc import Callable

from statemachine.example import Example
from statemachine.lifecycle import FINISHES, Operation
from statemachine.operations.named import (
    NotPossible,
    Offer,
    Offers,
    Play,
    at_step,
    delivery_at,
    fault_named,
    first_idle,
    idle_slot,
    operation,
    present,
    slot_of,
    with_faults,
)
from statemachine.world.faults import BETWEEN_STEPS, Fault


def _receive_offers(example: Example) -> Offers:
    worker = first_idle(example)
    if worker is not None:
        for message in example.queue.visible():
            yield Offer(8, "receive", {"worker": worker, "message": message.name})


@operation(_receive_offers)
def receive(example: Example, worker: str, message: str) -> Play:
    """A worker receives a visible message; the receive after the last one moves it to the DLQ."""
    idle_slot(example, worker)
    present(example.queue.messages, message, "in the queue")
    if example.queue.messages[message].visible_at > example.now:
        raise NotPossible(f"message {message} is hidden until {example.queue.messages[message].visible_at:g}")
    return lambda: example.deliver(worker, message)


def _prepare_offers(example: Example) -> Offers:
    for slot in at_step(example, "prepare"):
        arguments = {"worker": slot.name}
        if example.ledger.lease_is_live(slot.job) or example.ledger.is_terminal(slot.job):
            yield Offer(12, "prepare", arguments)
        else:
            yield from with_faults(12, "prepare", arguments)


@operation(_prepare_offers)
def prepare(example: Example, worker: str, fault: str | None = None) -> Play:
    """A worker asks for the lease of the job that its message names."""
    slot, delivery = delivery_at(example, worker, "prepare")
    strike = fault_named(fault)

    def play() -> None:
        example.call(
            Operation.PREPARE,
            delivery.prepare,
            actor=worker,
            job=slot.job,
            tenant=slot.tenant,
            message=slot.message,
            fault=strike,
        )
        if slot.next_step == "finish":
            slot.answered_at = example.now

    return play


_FINISH_WEIGHTS = {Operation.COMPLETE: 6, Operation.FAIL: 2, Operation.RELEASE: 3}


def _finish_offers(finish: Operation) -> Callable[[Example], Offers]:
    def offers(example: Example) -> Offers:
        for slot in at_step(example, "finish"):
            seen, holder = example.ledger.deliveries.get(slot.name), example.ledger.holders.get(slot.job)
            arguments = {"worker": slot.name}
            if seen and holder and seen.attempt == holder.attempt:
                yield from with_faults(_FINISH_WEIGHTS[finish], str(finish), arguments)
            else:
                yield Offer(_FINISH_WEIGHTS[finish], str(finish), arguments)

    return offers


def _finish(finish: Operation) -> Callable[..., Play]:
    def plan(example: Example, worker: str, fault: str | None = None) -> Play:
        slot, delivery = delivery_at(example, worker, "finish")
        strike = fault_named(fault)
        seen = example.ledger.deliveries.get(worker)

        def play() -> None:
            payload = f"{finish}@{example.step_key}"
            example.call(
                finish,
                lambda: delivery.finish(finish, payload),
                actor=worker,
                job=slot.job,
                tenant=slot.tenant,
                attempt=seen.attempt if seen else None,
                payload=payload,
                message=slot.message,
                fault=strike,
            )

        return play

    plan.__name__ = str(finish)
    plan.__doc__ = f"Inference ends and its worker calls {finish}, in time or long after its lease."
    return plan


complete, fail, release = (operation(_finish_offers(finish))(_finish(finish)) for finish in FINISHES)


def _acknowledge_offers(example: Example) -> Offers:
    for slot in at_step(example, "acknowledge"):
        yield Offer(10, "acknowledge", {"worker": slot.name})
        for fault in (Fault.KILL_AFTER_DELETE, Fault.DELETE_LOST):
            yield Offer(1, "acknowledge", {"worker": slot.name, "fault": fault.value})


@operation(_acknowledge_offers)
def acknowledge(example: Example, worker: str, fault: str | None = None) -> Play:
    """A worker deletes its message."""
    delivery_at(example, worker, "acknowledge")
    strike = fault_named(fault)
    return lambda: example.acknowledge(worker, strike)


def _duplicate_offers(example: Example) -> Offers:
    worker = first_idle(example)
    if worker is None:
        return
    for message in example.queue.in_flight():
        if message.receive_count < example.lifecycle.max_receives:
            weight = 6 if example.ledger.lease_is_live(message.job) else 2
            yield Offer(weight, "duplicate", {"worker": worker, "message": message.name})


@operation(_duplicate_offers, optional=True)
def duplicate(example: Example, worker: str, message: str) -> Play:
    """SQS delivers a hidden message once more: at least once is not exactly once."""
    idle_slot(example, worker)
    present(example.queue.messages, message, "in the queue")
    stored = example.queue.messages[message]
    if stored.visible_at <= example.now or stored.receive_count >= example.lifecycle.max_receives:
        raise NotPossible(f"message {message} is visible or has used up its receives: receive it instead")
    return lambda: example.deliver(worker, message, duplicate=True)


def _kill_worker_offers(example: Example) -> Offers:
    for slot in example.workers.values():
        if slot.next_step in BETWEEN_STEPS:
            yield Offer(1, "kill_worker", {"worker": slot.name})


@operation(_kill_worker_offers, optional=True)
def kill_worker(example: Example, worker: str) -> Play:
    """A worker dies between two steps."""
    slot = slot_of(example, worker)
    if slot.next_step not in BETWEEN_STEPS:
        raise NotPossible(f"worker {worker} is idle: killing it changes nothing")
    where = BETWEEN_STEPS[slot.next_step]
    return lambda: example.kill(worker, where)
