"""The baseline of the certificate: a plain Hypothesis machine of the same operations, world and invariants.

It is the machine that Hypothesis's documentation leads to: a rule for each operation, chosen by Hypothesis
with its own swarm testing, and strategies for the arguments.  It has no weights, and time passes by whole
numbers of seconds, aimed at no deadline.  It is not the best machine of its kind: adding weights and aiming
at deadlines makes it ``statemachine/search/machine.py``.  What it draws depends a little on which modules
are loaded, because Hypothesis collects number constants from them.
"""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from statemachine.search.control import SearchControl
from statemachine.search.engine import play
from statemachine.search.machine import ExampleMachine
from statemachine.world.operations import OPERATIONS, NamedOperation, Offer

TIMED = ("advance_to", "wait")
"""Operations that move the clock.  The baseline has one rule of its own in their place."""


class PlainMachine(ExampleMachine):
    """A machine with a rule for each operation, which :func:`plain_machine` adds."""

    def __init__(self) -> None:
        super().__init__()
        self._offers: dict[str, list[Offer]] = {}

    def offers(self, named: NamedOperation) -> list[Offer]:
        """Return the variants of one operation that are possible now."""
        # Kept until the next step: Hypothesis evaluates each precondition several times a step.
        if named.name not in self._offers:
            self._offers[named.name] = [
                variant for offer in named.offers(self.example) for variant in offer.variants()
            ]
        return self._offers[named.name]

    def perform(self, operation: str, arguments: dict[str, Any]) -> None:
        """Play one step.  Raise ``InvariantBroken`` when it breaks an invariant."""
        self.at_rest = False
        self._offers = {}
        super().perform(operation, arguments)


def plain_machine(farthest: int) -> type[PlainMachine]:
    """Return the machine with a rule for each operation; ``farthest`` is its longest wait in seconds."""

    @rule(seconds=st.integers(1, farthest))
    def wait(machine: PlainMachine, seconds: int) -> None:
        machine.perform("wait", {"seconds": seconds})

    rules = {name: _rule(named) for name, named in OPERATIONS.items() if name not in TIMED}
    return type("PlainMachine", (PlainMachine,), {**rules, "wait": wait})


def _rule(named: NamedOperation) -> Any:
    @st.composite
    def offers(draw: st.DrawFn) -> Offer:
        machine: PlainMachine = draw(st.runner())
        machine.at_rest = False
        possible = machine.offers(named)
        # Half of the calls have no fault, as with ``st.none() | st.sampled_from(faults)``.
        whole = [offer for offer in possible if offer.strike is None]
        struck = [offer for offer in possible if offer.strike is not None]
        chosen: Offer = draw(st.one_of([st.sampled_from(some) for some in (whole, struck) if some]))
        return chosen

    def play_one(machine: PlainMachine, offer: Offer) -> None:
        machine.perform(offer.operation, offer.arguments)

    play_one.__name__ = named.name
    possible = precondition(lambda machine: bool(machine.offers(named)))
    return possible(rule(offer=offers())(play_one))


def search_plainly(control: SearchControl, seed_number: int, profile: settings) -> None:
    """Search as ``search.engine.search`` does, with the plain machine, and do not shrink the failure."""
    machine = plain_machine(2 * control.run.lane.binding.lifecycle.visibility_seconds)
    play(control, seed_number, machine, profile, (Phase.generate,))
    control.as_found = control.failure
    control.run.finished = True
