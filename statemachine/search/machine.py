"""The Hypothesis machine: which operation comes next, swarm testing, and the end of an example.

One rule dispatches over the table of operations.  With a rule for each, Hypothesis's own swarm
testing switches most of them off, and a bug that needs k of them is rarely met: measured, a naive
machine finds half of what this one finds.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import suppress
from itertools import accumulate
from typing import Any, ClassVar

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from statemachine.search.control import KnownFailure, SearchControl
from statemachine.world.example import Example
from statemachine.world.exits import GivenUp
from statemachine.world.operations import OPERATIONS, NamedOperation, Offer, perform
from statemachine.world.operations.drain import drain

FAULTS = ("call_faults", *(name for name, operation in OPERATIONS.items() if operation.optional))
"""What swarm testing may switch off: faults that strike calls, and each optional operation."""

_ALL_FAULTS = 1 << len(FAULTS)
SWARMS = 2 * _ALL_FAULTS

_LINE = 1 << 20
# Hypothesis draws 1 number in 20 from constants that it finds in its own list and in the source of all
# local modules, so that the same seed would play other examples where other modules are loaded.  In
# this range it has none, and no source text has such numbers.
NO_CONSTANTS = 7_000_000_000_039
_MACHINE = st.runner()
# One draw a step: a point on the line of all weights.
_PLACES = st.integers(NO_CONSTANTS, NO_CONSTANTS + _LINE - 1)


@st.composite
def _next_offer(draw: st.DrawFn) -> Offer:
    machine: JobMachine = draw(_MACHINE)
    machine.at_rest = False
    return machine.offer_at((draw(_PLACES) - NO_CONSTANTS) / _LINE)


class ExampleMachine(RuleBasedStateMachine):
    """Plays one example and ends it.  Subclasses set ``control``: it begins examples and sees each step.

    ``at_rest`` is false while a step is chosen or played.
    """

    control: ClassVar[SearchControl]

    def __init__(self) -> None:
        super().__init__()
        self.at_rest = False
        self.example: Example = self.control.begin_example()

    def perform(self, operation: str, arguments: dict[str, Any]) -> None:
        """Play one step; an invariant that it breaks is raised."""
        try:
            perform(self.example, operation, arguments)
        except GivenUp as why:
            self.control.give_up(self.example, why)
            reject()
        try:
            self.control.check(self.example)
        except KnownFailure:
            reject()  # Hypothesis does not count the example, and draws another one
        self.at_rest = True

    def teardown(self) -> None:
        # Hypothesis calls this after a failing example too, and after one that it abandoned.
        try:
            if self.at_rest and self._drained():
                with suppress(KnownFailure):
                    self.control.check(self.example)
                    self.control.end_example(self.example)
        finally:
            # Hypothesis keeps the strategies of the last thousand machines, and with them the machines.
            del self.example

    def _drained(self) -> bool:
        """Play the drain, and return whether it came to its end."""
        try:
            drain(self.example)
        except GivenUp as why:
            self.control.give_up(self.example, why)
            return False
        return True

    def _repr_step(self, rule: Any, data: Any, result: Any) -> str:
        return ""  # our own report lists the steps


class OfferingMachine(ExampleMachine):
    """Lists what is possible and how likely it is, with the faults that swarm testing has left on."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: frozenset[str] = frozenset()
        self.operations: list[NamedOperation] = []

    def have_faults(self, swarm: int) -> None:
        """Switch on all faults for half of the numbers below ``SWARMS``, none for 0, else a subset."""
        self.faults = frozenset(
            name for place, name in enumerate(FAULTS) if swarm >= _ALL_FAULTS or swarm >> place & 1
        )
        self.operations = [
            operation
            for operation in OPERATIONS.values()
            if not operation.optional or operation.name in self.faults
        ]
        self.at_rest = True

    def offers(self) -> list[Offer]:
        example = self.example
        return [offer for operation in self.operations for offer in operation.offers(example)]

    def offer_at(self, part: float) -> Offer:
        """Return the offer at ``part``, 0 to 1, of the line of all weights; the simplest come first."""
        offers = self.offers()
        struck = "call_faults" in self.faults
        ends = list(accumulate([offer.whole_weight if struck else offer.weight for offer in offers]))
        place = int(part * ends[-1])
        chosen = bisect_right(ends, place)
        return offers[chosen].at(place - (ends[chosen - 1] if chosen else 0))


class JobMachine(OfferingMachine):
    """Draws one of all possible operations at each step.

    The rules are here and the class that a test runs is a subclass, because Hypothesis keys saved
    examples by the source text of the class it runs.
    """

    @initialize(swarm=st.integers(NO_CONSTANTS, NO_CONSTANTS + SWARMS - 1))
    def choose_faults(self, swarm: int) -> None:
        self.have_faults(swarm - NO_CONSTANTS)

    @rule(offer=_next_offer())
    def play(self, offer: Offer) -> None:
        self.perform(offer.operation, offer.arguments)
