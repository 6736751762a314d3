"""The Hypothesis side of the lane: operations begin whole or to be stopped, and contention is sought.

Two operations that have nothing to do with one another show nothing by overlapping.  So each example has a
contest, a pair of operations that is to meet on one job: these two come more often, and while one is in
flight the other one, on the same job, comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from struct import calcsize, iter_unpack

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from statemachine import deadlines
from statemachine.lifecycle import Lifecycle, Operation
from statemachine.machine import SWARMS, OfferingMachine
from statemachine.operations import OPERATIONS, STEPWISE, Offer
from statemachine.operations.named import NamedOperation, Strikes
from statemachine.overlaps import pairs
from statemachine.stage import InFlight

_GO_ON = ("proceed", "kill_in_flight")
_WITHOUT_STATEMENTS = ("receive", "duplicate", "extend", "acknowledge")
"""What a worker does to its message only: as a rule there is no statement to be stopped before."""

_RIVAL = 6
"""How much likelier an operation is while another one on the same job is in flight."""
_CONTESTANT = 4
"""How much likelier the two operations of the example's contest are, and"""
_COUNTERPART = 24
"""one of them while the other one is in flight on the same job."""
_LEAST_OF_A_COUNTERPART = 12
"""Its weight, where that is less: what is seldom worth playing else is worth it then."""

_LIKELIER: Mapping[str, float] = {"duplicate": 3, "wait": 1 / 2, "create_again": 1 / 2}
"""What leads two operations to one job is likelier than elsewhere, by so many times, and"""
_WITHOUT_CALLS = 3
"""so is what makes no calls: operations come in two ways, whole and stopped."""
_LEADS_TO_A_SWEEP: Mapping[str, float] = {
    "kill_publisher": 16,
    "publish": 1 / 16,
    "advance_to": 16,
    "recover": 8,
}
"""In an example whose contest a sweep is in; of moves of time, only that to its own deadline."""

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
        self.contest: tuple[str, ...] = ()
        self._tape: Iterator[int] = iter(())

    @initialize(tape=st.binary(min_size=_TAPE, max_size=_TAPE))
    def begin(self, tape: bytes) -> None:
        """Choose the faults, and the contest."""
        self._tape = (number for (number,) in iter_unpack(_NUMBER, tape))
        self.have_faults(int(self._next_part() * SWARMS))
        contests = _contests(self.example.lifecycle)
        self.contest = contests[int(self._next_part() * len(contests))]

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
        return [
            offer
            for operation in self.operations
            for plain in operation.offers(example)
            for offer in self._ways(operation, plain)
        ]

    def _ways(self, operation: NamedOperation, offer: Offer) -> Iterator[Offer]:
        """An operation whole, and one that is stopped before each of its statements."""
        if operation.name in _GO_ON:
            yield offer
            return
        weight = offer.weight * _LIKELIER.get(operation.name, 1)
        if "recover" in self.contest:
            weight *= self._leads_to_a_sweep(offer)
        if not operation.made_by:
            yield offer._replace(weight=_whole(weight * _WITHOUT_CALLS))
            return
        likelier = self._contention(offer)
        if likelier == _COUNTERPART:
            weight = max(weight, _LEAST_OF_A_COUNTERPART)
        yield offer._replace(weight=_whole(weight * min(likelier, 2)))
        if operation.name not in _WITHOUT_STATEMENTS:
            stopped = {**offer.undisturbed, STEPWISE: True}
            strikes = _likelier(offer.strikes, likelier)
            yield offer._replace(weight=_whole(weight * likelier * 2), undisturbed=stopped, strikes=strikes)

    def _contention(self, offer: Offer) -> int:
        name = _operation_of(offer)
        rivals = [flying for flying in self.example.in_flight.values() if self._meet(flying, offer)]
        if name not in self.contest or offer.operation == "create":  # a new job has no rivals
            return _RIVAL if rivals else 1
        first, second = self.contest
        counterpart = second if name == first else first
        if any(flying.operation == counterpart for flying in rivals):
            return _COUNTERPART
        return _RIVAL if rivals else _CONTESTANT

    def _meet(self, flying: InFlight, offer: Offer) -> bool:
        return not set(self._jobs_of(flying)).isdisjoint(self._jobs_about(offer))

    def _leads_to_a_sweep(self, offer: Offer) -> float:
        if offer.undisturbed.get("deadline", "recovery") != "recovery":
            return 1
        if offer.operation == "recover" and not self._unsent():
            return 1
        return _LEADS_TO_A_SWEEP.get(offer.operation, 1)

    def _jobs_of(self, flying: InFlight) -> Iterable[str]:
        """The jobs that an operation in flight is about: a sweep, those that it has sent or is to send."""
        if flying.job:
            return [flying.job]
        return [*self.example.ledger.calls[flying.call].sent, *self._unsent()]

    def _jobs_about(self, offer: Offer) -> Iterable[str]:
        arguments = offer.undisturbed
        if offer.operation == "recover":
            return self._unsent()
        if "job" in arguments:
            return [str(arguments["job"])]
        if "message" in arguments:
            messages = self.example.queue.messages
            return [messages[arguments["message"]].job] if arguments["message"] in messages else []
        slot = self.example.workers.get(str(arguments.get("worker")))
        return [slot.job] if slot is not None else []

    def _unsent(self) -> list[str]:
        due = ((job, deadlines.find(self.example, "recovery", job)) for job in self.example.jobs)
        return [job for job, moment in due if moment is not None and moment <= self.example.now]


@cache
def _contests(lifecycle: Lifecycle) -> list[tuple[str, ...]]:
    """Every pair that can overlap, those with a sweep three times: a job is there for it once, if at all."""
    return [pair for pair in pairs(lifecycle) for _ in range(3 if Operation.RECOVER in pair else 1)]


def _operation_of(offer: Offer) -> str:
    if offer.operation == "stray":
        return str(offer.undisturbed["operation"])
    return "create" if offer.operation == "create_again" else offer.operation


@cache
def _likelier(strikes: Strikes, times: int) -> Strikes:
    return Strikes(strikes.each, tuple(end * times for end in strikes.ends))


def _whole(weight: float) -> int:
    return max(round(weight), 1)
