"""The Hypothesis side of the lane: operations begin whole or to be stopped, and contention is sought.

Two operations that have nothing to do with one another show nothing by overlapping, so while one is in flight
those on the same job come first.
"""

from __future__ import annotations

from collections.abc import Iterator

from statemachine.machine import JobMachine
from statemachine.operations import OPERATIONS, STEPWISE, Offer
from statemachine.operations.named import NamedOperation

_GO_ON = ("proceed", "kill_in_flight")
_WITHOUT_STATEMENTS = ("receive", "duplicate", "extend", "acknowledge")
"""What a worker does to its message only: as a rule there is no statement to be stopped before."""

_RIVAL = 6
"""How much likelier an operation is while another one on the same job is in flight."""


class TransactionsMachine(JobMachine):
    """Draws one of all possible steps, statements of operations in flight among them."""

    def offers(self) -> list[Offer]:
        example = self.example
        in_flight = example.in_flight
        if len(in_flight) >= example.lane.most_in_flight:
            return [offer for name in _GO_ON for offer in OPERATIONS[name].offers(example)]
        return [
            offer
            for operation in self.operations
            for plain in operation.offers(example)
            for offer in self._ways(operation, plain)
        ]

    def _ways(self, operation: NamedOperation, offer: Offer) -> Iterator[Offer]:
        contended = {flying.job for flying in self.example.in_flight.values()}
        rival = _RIVAL if contended and self._job_of(offer) in contended else 1
        if operation.name in _GO_ON or not operation.made_by:
            yield offer
            return
        yield offer._replace(weight=offer.weight * min(rival, 2))
        if operation.name not in _WITHOUT_STATEMENTS:
            stopped = {**offer.undisturbed, STEPWISE: True}
            yield offer._replace(weight=offer.weight * rival * 2, undisturbed=stopped)

    def _job_of(self, offer: Offer) -> str:
        """The job that an operation would be about, empty for one that names none."""
        arguments = offer.undisturbed
        if "job" in arguments:
            return str(arguments["job"])
        slot = self.example.workers.get(str(arguments.get("worker")))
        return slot.job if slot is not None else ""
