"""The simulated queue against what AWS documents of an SQS standard queue and its DLQ.

The machine can only find what its queue allows: one that hid a message a second too long, or let an
old receipt handle delete it, would make whole classes of defects impossible.
"""

from __future__ import annotations

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.world.queue import DelayBeyondLimit, SimulatedQueue, VisibilityBeyondLimit


class Scene:
    """A queue with a clock in our hands; ``events`` is what it reported."""

    def __init__(self) -> None:
        self.now: float = 0
        self.events: list[Event] = []
        self.queue = SimulatedQueue(3600, 3, lambda: self.now, self.events.append)

    def receive(self, worker: str = "A", name: str = "m1") -> str:
        """The receipt handle of one more receive of a message."""
        received = self.queue.receive(name, worker)
        assert received is not None
        return received.receipt

    @property
    def visible(self) -> list[str]:
        return [message.name for message in self.queue.visible()]

    @property
    def in_flight(self) -> list[str]:
        return [message.name for message in self.queue.in_flight()]

    @property
    def delayed(self) -> list[str]:
        return [message.name for message in self.queue.delayed()]


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.queue.send("m1", "j1", "t1")
    return scene


def test_a_sent_message_is_visible_at_once(scene: Scene) -> None:
    assert scene.visible == ["m1"]
    assert scene.in_flight == []
    assert scene.events == [history.Sent(0, "m1", "j1", "t1")]


def test_a_received_message_is_hidden_to_the_very_second(scene: Scene) -> None:
    scene.now = 100
    scene.receive()
    for now, visible in ((100, []), (3699, []), (3699.999, []), (3700, ["m1"]), (3701, ["m1"])):
        scene.now = now
        assert scene.visible == visible, f"at {now} s"
        assert scene.in_flight == ([] if visible else ["m1"]), f"at {now} s"
    assert scene.events[-1] == history.Delivered(100, "m1", "m1#1", "A", 1, 3700)


def test_a_duplicate_counts_as_a_receive_and_hides_the_message_anew(scene: Scene) -> None:
    scene.receive("A")
    scene.now = 10
    assert scene.queue.receive("m1", "B", duplicate=True) is not None
    assert scene.events[-1] == history.Delivered(10, "m1", "m1#2", "B", 2, 3610, duplicate=True)
    scene.now = 3609
    assert scene.visible == []


def test_only_the_newest_receipt_handle_deletes(scene: Scene) -> None:
    old, new = scene.receive("A"), scene.receive("B")
    scene.queue.delete(old, "A")
    assert scene.events[-1] == history.DeleteRequested(0, "m1", old, "A", effective=False)
    assert scene.in_flight == ["m1"]
    scene.queue.delete(new, "B")
    assert scene.events[-1] == history.DeleteRequested(0, "m1", new, "B", effective=True)
    assert scene.visible == scene.in_flight == []
    assert list(scene.queue.deleted) == ["m1"]


def test_deleting_a_message_that_is_gone_is_accepted_and_does_nothing(scene: Scene) -> None:
    receipt = scene.receive()
    scene.queue.delete(receipt, "A")
    scene.queue.delete(receipt, "A")
    assert scene.events[-1] == history.DeleteRequested(0, "m1", receipt, "A", effective=False)


def test_only_the_newest_receipt_handle_changes_the_visibility(scene: Scene) -> None:
    old, new = scene.receive("A"), scene.receive("B")
    scene.now = 10
    scene.queue.change_visibility(old, 0, "A")
    assert scene.events[-1] == history.VisibilityChanged(10, "m1", old, "A", 10, effective=False)
    assert scene.visible == []
    scene.queue.change_visibility(new, 20, "B")
    assert scene.events[-1] == history.VisibilityChanged(10, "m1", new, "B", 30, effective=True)
    scene.now = 29
    assert scene.visible == []
    scene.now = 30
    assert scene.visible == ["m1"]


def test_a_delayed_message_is_visible_when_its_delay_ends_and_not_in_flight_before(scene: Scene) -> None:
    scene.now = 100
    scene.queue.send("m2", "j2", "t1", delay=900)
    assert scene.events[-1] == history.Sent(100, "m2", "j2", "t1", delay=900)
    for now, delayed in ((100, ["m2"]), (999, ["m2"]), (1000, []), (1001, [])):
        scene.now = now
        assert scene.delayed == delayed, f"at {now} s"
        assert ("m2" in scene.visible) is not bool(delayed), f"at {now} s"
        assert scene.in_flight == [], f"at {now} s"
    scene.receive(name="m2")
    assert (scene.delayed, scene.in_flight) == ([], ["m2"])


@pytest.mark.parametrize("delay", [-1, 901, float("nan")])
def test_a_delay_that_aws_does_not_know_is_refused_and_nothing_is_sent(scene: Scene, delay: float) -> None:
    before = list(scene.events)
    with pytest.raises(DelayBeyondLimit, match=f"^message m2: DelaySeconds {delay} is not between 0 and 900"):
        scene.queue.send("m2", "j2", "t1", delay=delay)
    assert scene.visible == ["m1"]
    assert scene.events == before


@pytest.mark.parametrize(
    ("asked_after", "allowed"),
    [(0, 43200), (1, 43199), (3599, 39601), (43199, 1), (43200, 0)],
)
def test_a_message_is_hidden_for_12_hours_after_its_receive_at_most(
    scene: Scene, asked_after: int, allowed: int
) -> None:
    scene.now = 1000
    receipt = scene.receive()
    scene.now += asked_after
    before = list(scene.events)
    with pytest.raises(VisibilityBeyondLimit, match=f"^message m1: VisibilityTimeout {allowed + 1}\\b"):
        scene.queue.change_visibility(receipt, allowed + 1, "A")
    assert scene.events == before
    assert scene.queue.messages["m1"].visible_at == 4600
    scene.queue.change_visibility(receipt, allowed, "A")
    assert scene.queue.messages["m1"].visible_at == 1000 + 43200


def test_the_12_hours_count_from_the_latest_receive(scene: Scene) -> None:
    scene.receive()
    scene.now = 3600
    receipt = scene.receive()
    scene.queue.change_visibility(receipt, 43200, "A")
    assert scene.queue.messages["m1"].visible_at == 3600 + 43200


def test_an_extension_does_not_start_the_12_hours_anew(scene: Scene) -> None:
    receipt = scene.receive()
    scene.now = 3000
    scene.queue.change_visibility(receipt, 3600, "A")
    with pytest.raises(VisibilityBeyondLimit) as refused:
        scene.queue.change_visibility(receipt, 43200, "A")
    assert str(refused.value) == (
        "message m1: VisibilityTimeout 43200, asked for 3000 s after its receive, is beyond the limit: "
        "it can be hidden for 43200 s after a receive; ask for at most 40200"
    )


def test_when_the_12_hours_are_over_every_change_is_refused(scene: Scene) -> None:
    receipt = scene.receive()
    scene.now = 43201
    with pytest.raises(VisibilityBeyondLimit, match=r"receive it again$"):
        scene.queue.change_visibility(receipt, 0, "A")


@pytest.mark.parametrize("seconds", [-1, 43201, float("nan")])
def test_no_receipt_handle_sets_a_timeout_that_aws_does_not_know(scene: Scene, seconds: float) -> None:
    old, new = scene.receive(), scene.receive()
    before = list(scene.events)
    for receipt in (old, new):
        with pytest.raises(VisibilityBeyondLimit, match=f"VisibilityTimeout {seconds} is not between 0 and"):
            scene.queue.change_visibility(receipt, seconds, "A")
    assert scene.events == before


def test_an_old_receipt_handle_is_accepted_even_after_its_own_12_hours(scene: Scene) -> None:
    old = scene.receive()
    scene.now = 43201
    scene.receive()
    scene.queue.change_visibility(old, 3600, "A")
    assert scene.events[-1] == history.VisibilityChanged(43201, "m1", old, "A", 46801, effective=False)
    assert scene.queue.messages["m1"].visible_at == 43201 + 3600


def test_the_fourth_receive_request_moves_the_message_to_the_dlq(scene: Scene) -> None:
    receipts = [scene.receive() for _ in range(3)]
    assert receipts == ["m1#1", "m1#2", "m1#3"]
    scene.now = 3600
    assert scene.visible == ["m1"], "a message that has used up its receives is still in the queue"
    assert scene.queue.receive("m1", "A") is None
    assert scene.events[-1] == history.DeadLettered(3600, "m1")
    assert scene.visible == scene.in_flight == []
    assert list(scene.queue.dead) == ["m1"]


def test_a_dead_letter_is_out_of_the_reach_of_its_receipt_handle(scene: Scene) -> None:
    receipt = [scene.receive() for _ in range(3)][-1]
    scene.queue.receive("m1", "A")
    scene.queue.delete(receipt, "A")
    assert scene.events[-1] == history.DeleteRequested(0, "m1", receipt, "A", effective=False)
    assert list(scene.queue.dead) == ["m1"]


def test_a_redrive_gives_a_new_id_and_a_new_count(scene: Scene) -> None:
    old = [scene.receive() for _ in range(3)][-1]
    scene.queue.receive("m1", "A")
    scene.now = 50
    scene.queue.redrive("m1", "m9")
    assert scene.events[-1] == history.Redriven(50, "m1", "m9")
    assert scene.visible == ["m9"]
    assert scene.queue.dead == {}
    assert scene.queue.messages["m9"].receive_count == 0
    scene.queue.delete(old, "A")
    assert scene.visible == ["m9"], "a receipt handle of the old message must not delete the new one"
    assert [scene.receive(name="m9") for _ in range(3)] == ["m9#1", "m9#2", "m9#3"]
    assert scene.queue.receive("m9", "A") is None


def test_a_redriven_forgery_is_still_one(scene: Scene) -> None:
    scene.queue.send("m2", "j0", "t1", forged=True)
    for _ in range(4):
        scene.queue.receive("m2", "A")
    scene.queue.redrive("m2", "m3")
    assert scene.queue.messages["m3"].forged
    assert (scene.queue.messages["m3"].job, scene.queue.messages["m3"].tenant) == ("j0", "t1")


def test_a_lost_delete_says_yes_and_keeps_the_message(scene: Scene) -> None:
    receipt = scene.receive()
    scene.queue.delete(receipt, "A", lost=True)
    assert scene.events[-1] == history.DeleteRequested(0, "m1", receipt, "A", effective=False)
    scene.now = 3600
    assert scene.visible == ["m1"]
    assert scene.queue.deleted == {}


def test_a_deleted_message_that_comes_back_is_visible_and_keeps_its_count(scene: Scene) -> None:
    scene.queue.delete(scene.receive(), "A")
    scene.now = 7
    scene.queue.bring_back("m1")
    assert scene.events[-1] == history.MessageCameBack(7, "m1")
    assert scene.visible == ["m1"]
    assert scene.queue.deleted == {}
    assert scene.receive() == "m1#2"


def test_messages_do_not_get_in_each_others_way(scene: Scene) -> None:
    scene.queue.send("m2", "j2", "t2")
    scene.receive(name="m1")
    assert (scene.visible, scene.in_flight) == (["m2"], ["m1"])
    scene.queue.delete(scene.receive(name="m2"), "A")
    assert scene.in_flight == ["m1"]
