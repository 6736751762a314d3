"""The simulated queue and moto's SQS play the same random script and must tell the same.

A queue of our own could misread AWS in the same way as its tests do; moto was written by others.  What
both misread stays hidden, and so does what ``moto_queue.py`` leaves out.  Wrong queues are played as
well: one that passed would show a situation that the scripts do not reach.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from statemachine.history.events import Event
from statemachine.world.queue import (
    LONGEST_DELAY,
    LONGEST_VISIBILITY,
    DelayBeyondLimit,
    SimulatedQueue,
    VisibilityBeyondLimit,
)
from tests.world.queue.moto_queue import (
    MAX_RECEIVES,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
    Counts,
    Moto,
    MotoQueue,
    Refused,
)
from tests.world.queue.wrong_queues import WRONG

WORKER = "A"
MOST_MESSAGES = 2
"""In the queue and the DLQ together: collisions, not volume, show differences."""

Call = tuple[Any, ...]
"""The name of a method of the machine, and its arguments."""

WEIGHTS = {
    "receive": 4,
    "move_to": 4,
    "send": 3,
    "change_visibility": 2,
    "delete_by_an_old_handle": 2,
    "change_by_an_old_handle": 2,
    "redrive": 2,
}
"""How often a kind of call is chosen, 1 if not named."""


class Disagreement(AssertionError):
    """The two queues gave different answers."""


class BothQueues(RuleBasedStateMachine):
    """One rule chooses a kind of call and then a call: rules of their own would be switched off at random."""

    moto: ClassVar[Moto]
    queue_class: ClassVar[type[SimulatedQueue]]

    def __init__(self) -> None:
        super().__init__()
        self.theirs = MotoQueue(self.moto)
        self.events: list[Event] = []
        self.ours = self.queue_class(
            VISIBILITY_SECONDS, MAX_RECEIVES, lambda: self.theirs.now, self.events.append
        )
        self.names = (f"m{number}" for number in itertools.count(1))
        self.latest: dict[str, str] = {}
        self.older: list[str] = []
        self.agreed = True

    @rule(call=st.runner().flatmap(lambda machine: machine.calls()))
    def play(self, call: Call) -> None:
        name, *arguments = call
        getattr(self, name)(*arguments)
        self.compare_counts()

    def calls(self) -> st.SearchStrategy[Call]:
        kinds = defaultdict(list)
        for call in self.possible():
            kinds[call[0]].append(call)
        weights = WEIGHTS if self.ours.visible() else WEIGHTS | {"receive": 1}
        weighted = [kind for kind in kinds for _ in range(weights.get(kind, 1))]
        return st.sampled_from(weighted).flatmap(lambda kind: st.sampled_from(kinds[kind]))

    def possible(self) -> Iterator[Call]:
        """What takes messages further comes first.

        Hypothesis chooses the first far more often than its share: 58 % of the calls were receives
        when those always stood here.
        """
        if self.ours.visible():
            yield ("receive",)
        for name in self.received():
            yield from self.possible_changes(name, self.latest[name])
        for message in self.ours.messages.values():
            for offset in (0, -1, 1):
                moment = message.visible_at + offset
                if self.theirs.now < moment < RETENTION_SECONDS:
                    yield "move_to", moment
        yield from (("redrive", name) for name in self.ours.dead)
        if len(self.ours.messages) + len(self.ours.dead) < MOST_MESSAGES:
            yield from (("send", delay) for delay in (0, 0, 0, 60, LONGEST_DELAY, LONGEST_DELAY + 1))
        for receipt in self.older[-2:]:
            yield "delete_by_an_old_handle", receipt
            yield from (("change_by_an_old_handle", receipt, seconds) for seconds in (0, 7200))
        yield from (("delete", self.latest[name]) for name in self.received())
        if not self.ours.visible():
            yield ("receive",)

    def received(self) -> list[str]:
        """The messages whose handles are worth trying: all that are there, and the last that is gone."""
        gone = [name for name in self.latest if name not in self.ours.messages]
        return [name for name in self.latest if name in self.ours.messages] + gone[-1:]

    def possible_changes(self, name: str, receipt: str) -> Iterator[Call]:
        left = int(self.theirs.received_at[name] + LONGEST_VISIBILITY - self.theirs.now)
        changes = {
            "change_to_the_limit": (left, left + 1) if left >= 0 else (),
            "change_visibility": (0, VISIBILITY_SECONDS, LONGEST_VISIBILITY + 1),
        }
        for kind, timeouts in changes.items():
            for seconds in timeouts:
                if not self.theirs.counts_12_hours_otherwise(receipt, seconds):
                    yield kind, receipt, seconds

    def agree(self, what: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            self.agreed = False
            raise Disagreement(f"{what} at {self.theirs.now:g} s: ours {ours}, moto's {theirs}")

    def compare_counts(self) -> None:
        hidden = len(self.ours.in_flight()) + len(self.ours.delayed())
        ours = Counts(len(self.ours.visible()), hidden)
        self.agree("messages", ours, self.theirs.counts())

    def compare_dead(self) -> None:
        self.agree("messages in the DLQ", set(self.ours.dead), set(self.theirs.dead()))

    def move_to(self, moment: float) -> None:
        self.theirs.now = moment

    def send(self, delay: int) -> None:
        name = next(self.names)
        ours = theirs = "sent"
        try:
            self.ours.send(name, "j1", "t1", delay=delay)
        except DelayBeyondLimit:
            ours = "refused"
        try:
            self.theirs.send(name, delay)
        except Refused:
            theirs = "refused"
        self.agree(f"sending with a delay of {delay} s", ours, theirs)

    def receive(self) -> None:
        """The oldest visible message, as moto chooses; a receive passes by those that go to the DLQ."""
        received = (self.ours.receive(message.name, WORKER) for message in self.ours.visible())
        ours = next((message.receipt for message in received if message), None)
        self.agree("received", ours, self.theirs.receive())
        self.compare_dead()
        if ours:
            name = ours.partition("#")[0]
            if name in self.latest:
                self.older.append(self.latest[name])
            self.latest[name] = ours

    def delete(self, receipt: str) -> None:
        self.ours.delete(receipt, WORKER)
        self.theirs.delete(receipt)

    def change_visibility(self, receipt: str, seconds: int) -> None:
        ours = theirs = "changed"
        try:
            self.ours.change_visibility(receipt, seconds, WORKER)
        except VisibilityBeyondLimit:
            ours = "refused"
        try:
            self.theirs.change_visibility(receipt, seconds)
        except Refused:
            theirs = "refused"
        self.agree(f"changing the visibility to {seconds} s", ours, theirs)

    change_to_the_limit = change_visibility

    def delete_by_an_old_handle(self, receipt: str) -> None:
        self.ours.delete(receipt, WORKER)

    def change_by_an_old_handle(self, receipt: str, seconds: int) -> None:
        self.ours.change_visibility(receipt, seconds, WORKER)

    def redrive(self, name: str) -> None:
        renewed = next(self.names)
        self.ours.redrive(name, renewed)
        self.theirs.redrive(name, renewed)
        self.compare_dead()

    def teardown(self) -> None:
        """At the end of a script that agreed: what is left, by name and receive count."""
        try:
            if self.agreed:
                self.move_to(max([self.theirs.now, *(m.visible_at for m in self.ours.messages.values())]))
                while self.ours.visible():
                    self.receive()
                self.compare_counts()
        finally:
            self.theirs.close()


EXAMPLES = 25
"""Scripts a run, new ones each time; moto takes 4 ms for each of their steps."""

EXAMPLES_FOR_A_WRONG_QUEUE = 40


def play(moto: Moto, queue_class: type[SimulatedQueue], number: int | None = None) -> None:
    """Compare on random scripts; ``number`` makes them the same scripts each time."""
    machine = type("BothQueues", (BothQueues,), {"moto": moto, "queue_class": queue_class})
    run_state_machine_as_test(
        machine if number is None else seed(number)(machine),
        settings=settings(
            max_examples=EXAMPLES if number is None else EXAMPLES_FOR_A_WRONG_QUEUE,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=False,
            report_multiple_bugs=False,
            phases=[Phase.generate] if number is not None else [Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_simulated_queue_answers_as_moto_does(moto: Moto) -> None:
    play(moto, SimulatedQueue)


# Each of the 13 was caught on each of the seeds 100-119: 260 of 260, so a miss is rarer than 1.2 %
# (95 % confidence).  The seed is fixed: 13 misses as rare as that would still fail one run in seven.
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_queue_is_caught(moto: Moto, wrong: type[SimulatedQueue]) -> None:
    with pytest.raises(Disagreement):
        play(moto, wrong, number=100)
