"""The Hypothesis side of the lane: each step is one of all that are possible, chosen by where contention is.

Two operations that have nothing to do with one another show nothing by overlapping.  So each example has a
contest, a pair of operations that is to meet on one job (``contention.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import calcsize, iter_unpack

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from statemachine.search.contention import Contention, Contest, contests
from statemachine.search.machine import SWARMS, OfferingMachine
from statemachine.world.operations import OPERATIONS, Offer

_GO_ON = ("proceed", "kill_in_flight")

_NUMBER = ">I"
MOST_STEPS = 200
_TAPE = calcsize(_NUMBER) * (2 + MOST_STEPS)


class TransactionsMachine(OfferingMachine):
    """Draws one of all possible steps, statements of operations in flight among them.

    All of an example is one draw, a tape of numbers: of each example with many draws Hypothesis plays about
    five more in which one of them is copied over another, and an example is dear here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.contest: Contest = ()
        self._tape: Iterator[int] = iter(())

    @initialize(tape=st.binary(min_size=_TAPE, max_size=_TAPE))
    def begin(self, tape: bytes) -> None:
        """Choose the faults, and the contest."""
        self._tape = (number for (number,) in iter_unpack(_NUMBER, tape))
        self.have_faults(int(self._next_part() * SWARMS))
        possible = contests(self.example.lifecycle)
        self.contest = possible[int(self._next_part() * len(possible))]

    @rule()
    def play(self) -> None:
        self.at_rest = False
        offer = self.offer_at(self._next_part())
        self.perform(offer.operation, offer.arguments)

    def _next_part(self) -> float:
        """The next number of the tape, from 0 to 1; 0 for ever where it ends."""
        return next(self._tape, 0) / (1 << 32)

    def offers(self) -> list[Offer]:
        example = self.example
        if len(example.in_flight) >= example.lane.most_in_flight:
            return [offer for name in _GO_ON for offer in OPERATIONS[name].offers(example)]
        seen = Contention(example, self.contest)
        return [
            offer
            for operation in self.operations
            for plain in operation.offers(example)
            for offer in seen.ways(operation, plain)
        ]
