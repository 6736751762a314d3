"""The queue and the publisher as the system under test sees them, and its death around each call on them.

A crash between a send and the note that it was sent is the reason for the sweep, and one after a
receive is the reason for the visibility timeout: both must be possible, and nothing in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from statemachine.binding import Message
from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.lifecycle import Operation
from statemachine.world.example import Example
from statemachine.world.faults import Fault, Strike
from statemachine.world.lane import Lane
from statemachine.world.operations import perform
from statemachine.world.ports import DELAY_SECONDS, HandedOver, SystemQueue, WorkerQueue


def worker_queue(example: Example) -> WorkerQueue:
    return WorkerQueue(example, example.workers["A"], "m2", duplicate=True)


class PortCall(NamedTuple):
    """A call on a port, what it is named in a crash boundary, and the event that it causes."""

    make: Callable[[Example], Any]
    port: str
    event: type[Event]


PORT_CALLS: dict[str, PortCall] = {
    "worker sends": PortCall(lambda e: worker_queue(e).send("j1", "t1"), "send", history.Sent),
    "worker receives": PortCall(lambda e: worker_queue(e).receive(), "receive", history.Delivered),
    "worker deletes": PortCall(lambda e: worker_queue(e).delete("m2#1"), "delete", history.DeleteRequested),
    "worker extends": PortCall(
        lambda e: worker_queue(e).change_visibility("m2#1", 9), "change_visibility", history.VisibilityChanged
    ),
    "system sends": PortCall(lambda e: SystemQueue(lambda: e).send("j1", "t1"), "send", history.Sent),
    "system deletes": PortCall(
        lambda e: SystemQueue(lambda: e).delete("m2#1"), "delete", history.DeleteRequested
    ),
    "system extends": PortCall(
        lambda e: SystemQueue(lambda: e).change_visibility("m2#1", 9),
        "change_visibility",
        history.VisibilityChanged,
    ),
    "publisher is told": PortCall(
        lambda e: HandedOver(lambda: e).enqueue("j1", "t1"), "enqueue", history.PublicationQueued
    ),
}


def called(example: Example, run: Callable[[], Any], strike: Strike | None) -> list[Event]:
    """The events of one step of worker A whose code is ``run``, without its invocation."""
    before = len(example.events) + 1
    example.call(Operation.EXTEND, run, actor="A", job="j1", tenant="t1", strike=strike)
    return example.events[before:]


@pytest.mark.parametrize("name", PORT_CALLS)
def test_killed_before_a_port_call_nothing_of_it_happens(name: str, delivered: Example) -> None:
    made = PORT_CALLS[name]
    events = called(delivered, lambda: made.make(delivered), Strike(Fault.KILL_BEFORE_PORT_CALL))
    call = delivered.current_call
    assert events == [
        history.FaultStruck(0, call, "kill_before_port_call"),
        history.Unknown(0, call, "killed"),
        history.Killed(0, "A", f"before_{made.port}"),
    ]


@pytest.mark.parametrize("name", PORT_CALLS)
def test_killed_after_a_port_call_all_of_it_has_happened(name: str, delivered: Example) -> None:
    made, call = PORT_CALLS[name], delivered.current_call + 1
    happened, *rest = called(delivered, lambda: made.make(delivered), Strike(Fault.KILL_AFTER_PORT_CALL))
    assert type(happened) is made.event
    assert rest == [
        history.FaultStruck(0, call, "kill_after_port_call"),
        history.Unknown(0, call, "killed"),
        history.Killed(0, "A", f"after_{made.port}"),
    ]


@pytest.mark.parametrize("name", PORT_CALLS)
@pytest.mark.parametrize(
    ("fault", "happen"), [(Fault.KILL_BEFORE_PORT_CALL, 1), (Fault.KILL_AFTER_PORT_CALL, 2)]
)
def test_the_second_port_call_is_struck_and_the_first_one_has_happened(
    name: str, fault: Fault, happen: int, delivered: Example
) -> None:
    made = PORT_CALLS[name]

    def thrice() -> None:
        for _ in range(3):
            made.make(delivered)

    events = called(delivered, thrice, Strike(fault, 2))
    assert [type(event) for event in events].count(made.event) == happen


def test_a_worker_that_dies_after_its_receive_leaves_the_message_hidden(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    perform(example, "publish", {"job": "j1"})
    perform(example, "receive", {"worker": "A", "message": "m2", "fault": "kill_after_port_call"})
    assert example.workers["A"].is_idle
    assert [message.name for message in example.queue.in_flight()] == ["m2"]
    assert example.events[-1] == history.Killed(0, "A", "after_receive")
    perform(example, "advance_to", {"deadline": "visibility", "of": "m2"})
    perform(example, "receive", {"worker": "A", "message": "m2", "fault": "kill_before_port_call"})
    assert [message.name for message in example.queue.visible()] == ["m2"], "it was not received"
    assert example.queue.messages["m2"].receive_count == 1


def test_a_second_receive_does_not_hand_out_the_hidden_message_again(delivered: Example) -> None:
    queue = worker_queue(delivered)  # the machine has chosen a duplicate: that one is handed out
    seen = delivered.ids.of
    assert queue.receive() == Message(seen("m2#2"), seen("j1"), "t1")
    before = list(delivered.events)
    assert queue.receive() is None
    assert delivered.events == before
    assert delivered.queue.messages["m2"].receive_count == 2


def test_a_worker_that_prefetches_loses_nothing_and_breaks_no_claim(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = lane.binding.deliver

    def prefetching(worker: str, queue: Any) -> Any:
        delivery = make(worker, queue)
        once = delivery.receive

        def receive() -> bool:
            received = once()
            queue.receive()
            return received

        delivery.receive = receive
        return delivery

    monkeypatch.setattr(lane.binding, "deliver", prefetching)
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    perform(example, "publish", {"job": "j1"})
    for step in ("receive", "prepare", "complete", "acknowledge"):
        perform(example, step, {"worker": "A"} | ({"message": "m2"} if step == "receive" else {}))
    assert not example.queue.messages
    assert not example.judge.violations


def test_a_publisher_that_dies_after_its_send_leaves_the_job_unpublished_and_sent(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    perform(example, "publish", {"job": "j1", "fault": "kill_after_port_call"})
    assert list(example.queue.messages) == ["m2"]
    assert example.ledger.rows["j1"].published_at is None
    assert example.events[-1] == history.PublicationLost(0, "j1")
    assert example.to_publish == {}


@pytest.mark.parametrize("name", PORT_CALLS)
def test_a_port_call_that_fails_does_nothing_and_kills_nobody(name: str, delivered: Example) -> None:
    made, before = PORT_CALLS[name], len(delivered.events)
    delivered.call(
        Operation.COMPLETE,
        lambda: made.make(delivered),
        actor="A",
        job="j1",
        tenant="t1",
        strike=Strike(Fault.ERROR_IN_PORT_CALL),
    )
    new = delivered.events[before:]
    assert [event for event in new if isinstance(event, made.event)] == []
    assert isinstance(new[-1], history.Raised)
    assert new[-1].error.startswith(f"PortUnavailable: the {made.port} call failed")


def test_a_send_that_fails_leaves_the_job_to_the_sweep(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    perform(example, "publish", {"job": "j1", "fault": "error_in_port_call"})
    assert example.ledger.rows["j1"].published_at is None
    perform(example, "advance_to", {"deadline": "recovery", "of": "j1"})
    perform(example, "recover", {})
    assert list(example.queue.messages) == ["m4"]
    assert example.judge.violations == []


def test_a_delayed_send_is_visible_when_its_delay_is_over(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    perform(example, "publish", {"job": "j1", "fault": "send_delayed"})
    sent = next(event for event in example.events if isinstance(event, history.Sent))
    assert sent == history.Sent(0, "m2", "j1", "t1", call=2, delay=DELAY_SECONDS)
    assert not any(isinstance(event, history.FaultStruck) for event in example.events)
    for second, visible in ((DELAY_SECONDS - 1, []), (DELAY_SECONDS, ["m2"])):
        example.move_clock(second)
        assert [message.name for message in example.queue.visible()] == visible
    assert example.judge.violations == []


def test_a_delete_that_is_lost_is_answered_and_keeps_the_message(delivered: Example) -> None:
    events = called(delivered, lambda: worker_queue(delivered).delete("m2#1"), Strike(Fault.DELETE_LOST))
    assert events[0] == history.DeleteRequested(0, "m2", "m2#1", "A", effective=False)
    assert list(delivered.queue.messages) == ["m2"]


def test_a_malformed_message_has_neither_job_nor_tenant(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "send_malformed", {})
    seen = example.ids.of
    assert worker_queue_of(example, "m1").receive() == Message(seen("m1#1"), None, None)
    perform(example, "forge", {"job": "j0", "tenant": "t1"})
    assert worker_queue_of(example, "m2").receive() == Message(seen("m2#1"), seen("j0"), "t1")


def worker_queue_of(example: Example, message: str) -> WorkerQueue:
    return WorkerQueue(example, example.workers["A"], message, duplicate=False)


def test_a_worker_lets_go_of_a_malformed_message_and_it_ends_in_the_dlq(lane: Lane) -> None:
    example = lane.begin()
    perform(example, "send_malformed", {})
    for _ in range(example.lifecycle.max_receives):
        perform(example, "receive", {"worker": "A", "message": "m1"})
        assert example.workers["A"].is_idle
        perform(example, "advance_to", {"deadline": "visibility", "of": "m1"})
    perform(example, "receive", {"worker": "A", "message": "m1"})
    assert list(example.queue.dead) == ["m1"]
    assert example.judge.violations == []


def test_publisher_and_sweep_receive_nothing(lane: Lane) -> None:
    with pytest.raises(RuntimeError, match="use the queue that deliver"):
        SystemQueue(lambda: lane.begin()).receive()
