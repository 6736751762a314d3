"""The machine of the transactions lane, and how likely each of its steps is.

Two operations that have nothing to do with one another show nothing by overlapping.  So each example has a
contest: two operations that are to meet on one job.  An overlap shows something when the first operation has
read and not yet written, and a rival on the same job runs to its end meanwhile.  So operations are played
stepwise (stopped before each statement) where a rival is ready, execute their first statement at once, and
then the rival is preferred.  Weights are tuned on seeds 0-19 only; what they find is reported on seeds
100-119.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from struct import calcsize, iter_unpack

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from statemachine.history.overlaps import overlap, pairs
from statemachine.lifecycle import FINISHES, Lifecycle, Operation
from statemachine.search.machine import SWARMS, OfferingMachine
from statemachine.world.example import Example, InFlight
from statemachine.world.operations import OPERATIONS, STEPWISE, Offer, deadlines
from statemachine.world.operations.named import NamedOperation, Strikes

Contest = tuple[str, ...]
"""The names of two operations that are to meet in one example."""

WITHOUT_STATEMENTS = ("receive", "duplicate", "extend", "acknowledge")
"""What a worker does to its message only: as a rule it executes no statement to be stopped before."""

_FIRST_STATEMENT = 8
"""How much likelier an operation is resumed to its first statement: until then its overlap shows nothing."""
_GOES_ON = 2
"""How much likelier it is resumed later: with 1, two in flight would hardly ever end."""
_ALONE = 1 / 4
"""How likely an operation is played stepwise where no rival is ready, compared with being played whole."""
_READY = 4
"""How much likelier an operation is played stepwise where a rival is ready."""
_RIVAL = 10
"""How much likelier an operation is while another on the same job is between two of its statements."""
_COUNTERPART = 24
"""How much likelier one of the contest is while the other one is between two of its statements."""
_SAME = 2
"""How much more again, where both finish the job in the same way."""
_THROUGH = 2
"""How much likelier a rival is played whole, and so to its end, than stepwise."""
_LEAST_OF_A_COUNTERPART = 12
"""The least weight of one of the contest then: some operations are hardly worth playing elsewhere."""
_SECOND = 12
"""How much likelier a worker receives the message of a job on which another one works."""
_EXPIRY = 12
"""How much likelier time moves to the end of a lease whose holder is at work while another worker asks."""
_LATE = 12
"""How much likelier a finish is played stepwise after that, when the other worker is about to take over."""
_STRAY = 1 / 6
"""How likely a stray call is: no contest needs it, and there are many."""

_LIKELIER: Mapping[str, float] = {"wait": 1 / 4, "create_again": 1 / 2}
"""Factors of operations that lead no two operations to one job, compared with the embedded lane."""
_WITHOUT_CALLS = 3
"""Factor of operations that make no calls: the others are offered in two ways, whole and stepwise."""
_LEADS_TO_A_SWEEP: Mapping[str, float] = {
    "kill_publisher": 16,
    "publish": 1 / 16,
    "advance_to": 16,
    "recover": 8,
}
"""Factors in an example with a sweep in its contest; of moves of time, only for that to its own deadline."""
_ELSEWHERE = 1 / 4
"""Factor of a sweep, and of the move of time to its deadline, in any other example."""
_TIMES_A_SWEEP = 3
"""How many more contests have a sweep in them: it finds a job at most once in the life of that job."""


@cache
def contests(lifecycle: Lifecycle, wanted: frozenset[str] = frozenset()) -> list[Contest]:
    """Return every pair that can overlap; those with a sweep are in the list several times.

    Where an overlap is among the ``wanted`` situations, only pairs whose overlaps are.
    """
    possible = pairs(lifecycle)
    return [
        pair
        for pair in [pair for pair in possible if overlap(*pair) in wanted] or possible
        for _ in range(_TIMES_A_SWEEP if Operation.RECOVER in pair else 1)
    ]


class Contention:
    """Weighs the offers of one step: looks once at what is in flight, on which jobs, and what is ready."""

    def __init__(self, example: Example, contest: Contest) -> None:
        self.example = example
        self.contest = contest
        self.flying = list(example.in_flight.values())
        self.unsent = self._unsent()

        slots = example.workers.values()
        self.asking = {slot.name: slot.job for slot in slots if slot.next_step == "prepare"}
        """The jobs of the workers that ask for a lease next, by worker."""
        self.working = {slot.name: slot.job for slot in slots if slot.next_step == "finish"}
        """The jobs of the workers that finish next: each held its lease once, and may have lost it."""
        self.has_idle = any(slot.is_idle for slot in slots)
        self.contended = {*self.asking.values()} & {*self.working.values()}
        """The jobs on which one works while another asks: the only ones that a takeover can come to."""
        self.late = {
            name
            for name, job in self.working.items()
            if job in self.contended and not example.ledger.lease_is_live(job)
        }
        """The workers whose lease has expired while another one is about to take over."""

    def ways(self, operation: NamedOperation, offer: Offer) -> Iterator[Offer]:
        """Yield an offer weighed, and, if it executes statements, a second one that plays it stepwise."""
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
        return 1 if self._jobs_about(offer).isdisjoint(self.working.values()) else _SECOND

    def _expiry(self, offer: Offer) -> int:
        if offer.undisturbed.get("deadline") != "lease":
            return 1
        return _EXPIRY if offer.undisturbed["of"] in self.contended else 1

    def _likelier(self, offer: Offer, jobs: set[str]) -> int:
        rivals = [one for one in self.flying if one.executed and not jobs.isdisjoint(self._jobs_of(one))]
        if not rivals or offer.operation == "create":  # a new job has no rivals
            return 1
        name = operation_of(offer)
        if offer.operation in FINISHES and any(flying.operation in FINISHES for flying in rivals):
            # Preferred in every example, whatever its contest: two finishes of one job meet only after a
            # takeover, and that is where one without a fencing token overwrites a result.
            return _COUNTERPART * (_SAME if any(flying.operation == name for flying in rivals) else 1)
        if name in self.contest:
            first, second = self.contest
            counterpart = second if name == first else first
            if any(flying.operation == counterpart for flying in rivals):
                return _COUNTERPART
        return 1 if offer.operation == "stray" else _RIVAL  # strays are rivals everywhere

    def _readiness(self, offer: Offer, jobs: set[str]) -> float:
        """Return the factor for playing an offer stepwise: high where a rival is about to come to its job."""
        if self._is_late(offer):
            return _LATE
        if jobs.isdisjoint(self._awaited(offer)):
            return _ALONE
        return 2 * _READY if operation_of(offer) in self.contest else _READY

    def _awaited(self, offer: Offer) -> set[str]:
        """Return the jobs that any other actor than the one of this offer is about to write to."""
        own = offer.undisturbed.get("worker")
        ready = {job for name, job in (*self.asking.items(), *self.working.items()) if name != own}
        if offer.operation != "publish":
            ready.update(self.example.to_publish)
        if offer.operation != "recover":
            ready.update(self.unsent)
        if offer.operation in ("publish", "recover"):
            # A message brings its rival along, if there is an idle worker to receive it.
            ready.update(self._jobs_about(offer) if self.has_idle else ())
        return ready

    def _leads_to_a_sweep(self, offer: Offer) -> float:
        # A sweep finds a job only where the publisher died before it had sent it and its time has come:
        # three steps in a row, each of them rare, which are made common in the examples that need them.
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

    def _jobs_of(self, flying: InFlight) -> set[str]:
        """Return the jobs that an operation in flight is about.

        A sweep names no job: it is about those that it has sent already and those that it may send.
        """
        if flying.job:
            return {flying.job}
        return {*self.example.ledger.calls[flying.call].sent, *self.unsent}

    def _jobs_about(self, offer: Offer) -> set[str]:
        """Return the jobs that an offer is about: one as a rule, for a sweep all that are unsent."""
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
        """Return the jobs that a sweep would send now."""
        due = ((job, deadlines.find(self.example, "recovery", job)) for job in self.example.jobs)
        return [job for job, moment in due if moment is not None and moment <= self.example.now]


def operation_of(offer: Offer) -> str:
    """Return the operation that an offer amounts to: a stray call is one of the operation that it makes."""
    if offer.operation == "stray":
        return str(offer.undisturbed["operation"])
    return "create" if offer.operation == "create_again" else offer.operation


def _weighed(offer: Offer, weight: float, times: float) -> Offer:
    return offer._replace(weight=_whole(weight * times), strikes=_scaled(offer.strikes, times))


@cache
def _scaled(strikes: Strikes, times: float) -> Strikes:
    """Return the strikes of an offer that is ``times`` likelier; none where that makes it rarer."""
    if times < 1:
        return Strikes()
    # Faults grow less likely where two operations meet: most of them must come to their ends.
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

    All of an example is one draw, a tape of numbers.  Of an example with many draws Hypothesis plays about
    five variations, in which one draw is copied over another.  Fresh examples find more than variations
    (without them the embedded lane needed 0.81 of the steps), and an example takes about 0.2 s here.
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
        possible = contests(self.example.lifecycle, self.control.wanted)
        self.contest = possible[int(self._next_part() * len(possible))]

    @rule()
    def play(self) -> None:
        self.at_rest = False
        offer = self.offer_at(self._next_part())
        self.perform(offer.operation, offer.arguments)

    def _next_part(self) -> float:
        """Return the next number of the tape, 0 to 1 (excluded), and 0 after its end."""
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
