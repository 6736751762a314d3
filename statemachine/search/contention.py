"""How likely each step is in the transactions lane: what brings two operations to one job, and in between.

An overlap shows something when the first operation has read and has not yet written, and somebody else, who
must be somebody with work of their own on the same job, comes all the way through.  So operations begin to be
stopped where a rival is ready, go on to their first statement at once, and then the rival comes first.
Weights are tuned on seeds 0-19 only; what they find is reported on seeds 100-119.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from struct import calcsize, iter_unpack

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from statemachine.history.overlaps import pairs
from statemachine.lifecycle import FINISHES, Lifecycle, Operation
from statemachine.search.machine import SWARMS, OfferingMachine
from statemachine.world.example import Example, InFlight
from statemachine.world.operations import OPERATIONS, STEPWISE, Offer, deadlines
from statemachine.world.operations.named import NamedOperation, Strikes

Contest = tuple[str, ...]
"""The names of two operations that are to meet in one example."""

WITHOUT_STATEMENTS = ("receive", "duplicate", "extend", "acknowledge")
"""What a worker does to its message only: as a rule there is no statement to be stopped before."""

_FIRST_STATEMENT = 8
"""How much likelier an operation in flight goes on that has executed nothing: until then it shows nothing."""
_GOES_ON = 2
"""How much likelier it goes on later, or two in flight would hardly ever come to an end."""
_ALONE = 1 / 4
"""How likely an operation begins to be stopped where nobody else could come, for one that runs whole."""
_READY = 4
"""How much likelier an operation begins to be stopped while a rival is ready."""
_RIVAL = 10
"""How much likelier one comes while another on the same job is between two of its statements, and"""
_COUNTERPART = 24
"""one of the contest's pair while the other one is."""
_SAME = 2
"""And how much more, where both finish the job in the same way."""
_THROUGH = 2
"""How much likelier a rival comes whole, and so all the way through, than stopped."""
_LEAST_OF_A_COUNTERPART = 12
"""Its weight, where that is less: what is seldom worth playing else is worth it then."""
_SECOND = 12
"""How much likelier a worker receives the message of a job that another one works on."""
_EXPIRY = 12
"""How much likelier time passes to the end of a lease under which one works and for which another asks."""
_LATE = 12
"""How much likelier a finish is stopped after that, when the other one is about to take over."""
_STRAY = 1 / 6
"""Nobody waits for a stray call, and there are many of them."""

_LIKELIER: Mapping[str, float] = {"wait": 1 / 4, "create_again": 1 / 2}
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
_ELSEWHERE = 1 / 4
"""How likely a sweep is, and its deadline, in any other example."""
_TIMES_A_SWEEP = 3
"""How many more contests there are with a sweep: a job is there for it once in its life, if at all."""


@cache
def contests(lifecycle: Lifecycle) -> list[Contest]:
    """Every pair that can overlap, one as likely as the other, but for those with a sweep."""
    return [
        pair for pair in pairs(lifecycle) for _ in range(_TIMES_A_SWEEP if Operation.RECOVER in pair else 1)
    ]


class Contention:
    """What ``example`` holds, seen once a step: who is in flight, on which jobs, and who is ready."""

    def __init__(self, example: Example, contest: Contest) -> None:
        self.example = example
        self.contest = contest
        self.flying = list(example.in_flight.values())
        self.unsent = self._unsent()
        self.late = self._late()

    def ways(self, operation: NamedOperation, offer: Offer) -> Iterator[Offer]:
        """An operation whole, and one that is stopped before each of its statements."""
        if operation.name == "proceed":
            yield offer._replace(weight=offer.weight * self._goes_on(offer))
            return
        weight = offer.weight * _LIKELIER.get(operation.name, 1) * self._second(offer)
        if operation.name == "stray" or (
            operation.name == "mark_running" and "mark_running" not in self.contest
        ):
            weight *= _STRAY
        weight *= self._leads_to_a_sweep(offer)
        if not operation.made_by:
            yield offer._replace(weight=_whole(weight * _WITHOUT_CALLS * self._expiry(offer)))
            return
        jobs = self._jobs_about(offer)
        likelier = self._likelier(offer, jobs)
        if likelier >= _COUNTERPART or self._is_late(offer):
            weight = max(weight, _LEAST_OF_A_COUNTERPART * (_STRAY if operation.name == "stray" else 1))
        yield _weighed(offer, weight, likelier * (_THROUGH if likelier > 1 else 1))
        if operation.name not in WITHOUT_STATEMENTS:
            stopped = offer._replace(undisturbed={**offer.undisturbed, STEPWISE: True})
            yield _weighed(stopped, weight, likelier * (1 if self.flying else self._readiness(offer, jobs)))

    def _goes_on(self, offer: Offer) -> int:
        alone = len(self.flying) == 1
        return _FIRST_STATEMENT if alone and not self.flying[0].executed else _GOES_ON

    def _second(self, offer: Offer) -> int:
        if offer.operation not in ("receive", "duplicate"):
            return 1
        worked_on = {slot.job for slot in self.example.workers.values() if slot.next_step == "finish"}
        return 1 if worked_on.isdisjoint(self._jobs_about(offer)) else _SECOND

    def _expiry(self, offer: Offer) -> int:
        if offer.undisturbed.get("deadline") != "lease":
            return 1
        job = offer.undisturbed["of"]
        steps = {slot.next_step for slot in self.example.workers.values() if slot.job == job}
        return _EXPIRY if {"prepare", "finish"} <= steps else 1

    def _likelier(self, offer: Offer, jobs: set[str]) -> int:
        rivals = [one for one in self.flying if one.executed and not jobs.isdisjoint(self._jobs_of(one))]
        if not rivals or offer.operation == "create":  # a new job has no rivals
            return 1
        name = operation_of(offer)
        if offer.operation in FINISHES and any(flying.operation in FINISHES for flying in rivals):
            # Somebody who has taken over meanwhile, and is done before.
            return _COUNTERPART * (_SAME if any(flying.operation == name for flying in rivals) else 1)
        if name in self.contest:
            first, second = self.contest
            counterpart = second if name == first else first
            if any(flying.operation == counterpart for flying in rivals):
                return _COUNTERPART
        return 1 if offer.operation == "stray" else _RIVAL  # strays are rivals everywhere

    def _readiness(self, offer: Offer, jobs: set[str]) -> float:
        """How much likelier an operation is stopped where somebody else is about to come to the same job."""
        if self._is_late(offer):
            return _LATE
        if jobs.isdisjoint(self._awaited(offer)):
            return _ALONE
        return 2 * _READY if operation_of(offer) in self.contest else _READY

    def _awaited(self, offer: Offer) -> set[str]:
        """The jobs that others than who would make this offer are about to write to."""
        example = self.example
        ready = {
            slot.job
            for slot in example.workers.values()
            if slot.next_step in ("prepare", "finish") and slot.name != offer.undisturbed.get("worker")
        }
        if offer.operation != "publish":
            ready.update(example.to_publish)
        if offer.operation != "recover":
            ready.update(self.unsent)
        if offer.operation in ("publish", "recover"):
            # Whoever sends a message brings its rival along, if there is anybody to receive it.
            idle = any(slot.is_idle for slot in example.workers.values())
            ready.update(self._jobs_about(offer) if idle else ())
        return ready

    def _leads_to_a_sweep(self, offer: Offer) -> float:
        if "recover" not in self.contest:
            about_one = offer.operation == "recover" or offer.undisturbed.get("deadline") == "recovery"
            return _ELSEWHERE if about_one else 1
        if offer.undisturbed.get("deadline", "recovery") != "recovery":
            return 1
        if offer.operation == "recover" and not self.unsent:
            return 1
        return _LEADS_TO_A_SWEEP.get(offer.operation, 1)

    def _is_late(self, offer: Offer) -> bool:
        return offer.operation in FINISHES and offer.undisturbed.get("worker") in self.late

    def _late(self) -> set[str]:
        """The workers whose lease is over, while somebody else is about to take over."""
        slots, ledger = self.example.workers.values(), self.example.ledger
        asked = {slot.job for slot in slots if slot.next_step == "prepare"}
        return {
            slot.name
            for slot in slots
            if slot.next_step == "finish" and slot.job in asked and not ledger.lease_is_live(slot.job)
        }

    def _jobs_of(self, flying: InFlight) -> set[str]:
        """The jobs that an operation in flight is about: a sweep, those that it has sent or is to send."""
        if flying.job:
            return {flying.job}
        return {*self.example.ledger.calls[flying.call].sent, *self.unsent}

    def _jobs_about(self, offer: Offer) -> set[str]:
        arguments = offer.undisturbed
        if offer.operation == "recover":
            return set(self.unsent)
        if "job" in arguments:
            return {str(arguments["job"])}
        if "message" in arguments:
            messages = self.example.queue.messages
            return {messages[arguments["message"]].job} if arguments["message"] in messages else set()
        slot = self.example.workers.get(str(arguments.get("worker")))
        return {slot.job} if slot is not None else set()

    def _unsent(self) -> list[str]:
        due = ((job, deadlines.find(self.example, "recovery", job)) for job in self.example.jobs)
        return [job for job, moment in due if moment is not None and moment <= self.example.now]


def operation_of(offer: Offer) -> str:
    """What an offer would do to a job, whoever does it."""
    if offer.operation == "stray":
        return str(offer.undisturbed["operation"])
    return "create" if offer.operation == "create_again" else offer.operation


def _weighed(offer: Offer, weight: float, times: float) -> Offer:
    return offer._replace(weight=_whole(weight * times), strikes=_scaled(offer.strikes, times))


@cache
def _scaled(strikes: Strikes, times: float) -> Strikes:
    """Strikes of something that is so many times likelier; none of what is seldom anyhow."""
    if times < 1:
        return Strikes()
    # Where two meet nobody need die as well, or few of them would come to their ends.
    likelier = max(times / 3, 1)
    return Strikes(strikes.each, tuple(round(end * likelier) for end in strikes.ends))


def _whole(weight: float) -> int:
    return max(round(weight), 1)


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
