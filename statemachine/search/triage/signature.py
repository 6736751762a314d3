"""The signature of a failure: what makes two failing histories one finding and not two.

One bug breaks the same claim in thousands of examples that have little else in common.  What they share
is the failing step: its operation, who called it, the situation of the job, what has become of the job, and
the fault that struck.  Fuzzers group crashes in the same way, by the place of the crash.  Two bugs with one
signature count as one here; once the first is mended, the next run shows the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from statemachine.history.events import DrainEnded, Event, FaultStruck, Invoked, Observed, StepBegan
from statemachine.history.in_flight import Flights
from statemachine.history.ledger import CallFacts, Ledger
from statemachine.invariants import Violation

STRAY = "stray"
"""The actor of direct calls outside of any delivery."""
NO_ROW = "no row"
"""The status of a job that was created, or was to be, and has no row."""
FOREIGN = "another tenant's"
"""The status of a job that is not there for the tenant in whose name the call was made."""

_ABSENT = {NO_ROW: "job without a row", FOREIGN: "another tenant's job"}
"""The statuses of a job that does not exist for the call, in words."""
_OFFICES = ("application", "publisher", "sweep", STRAY)
"""The actors that are no workers: these have names of one letter, which mean nothing in a signature."""


class Signature(NamedTuple):
    """The claim that broke and what the failing step did: text only, equal in every run."""

    invariant: str
    """The claim that broke."""
    operation: str
    """The operation of the failing step, or the one in flight that the step resumed; ``drain`` in a drain."""
    situation: str = ""
    """The cell of the legality table that the step's last call met; empty after a drain.

    For a call in flight, the cell that its commit found.  Empty where the step made no call.
    """
    fault: str = ""
    """The fault that struck that call, or empty."""
    actor: str = ""
    """Who made that call: ``worker``, ``application``, ``publisher``, ``sweep`` or ``stray``.

    Of a step without a call, the worker that it names, if any; after a drain, who changed the job last.
    """
    status: str = ""
    """The status of the job that the claim is about, after the step: ``no row`` if it has none.

    ``another tenant's`` if the call was made in the name of a tenant that does not own it.
    Empty where the claim is about no single job.
    """

    @property
    def by_a_stray(self) -> bool:
        """Whether a direct call broke the claim, which not every system has."""
        return self.actor == STRAY

    def is_kept_by(self, shorter: Signature) -> bool:
        """Return whether a history with the signature ``shorter`` is still of this kind.

        The claim stays the same, and so does who acted, except that anybody else may take the place of a
        stray.  A job that a drain leaves unfinished keeps its status: that is how it was lost.  Elsewhere the
        status may change, since one fault is often shorter to show on a job in another; but a job that has a
        row does not become one without.
        """
        if shorter.invariant != self.invariant or (shorter.actor != self.actor and not self.by_a_stray):
            return False
        if self.operation == "drain":
            return shorter.status == self.status
        return (shorter.status in _ABSENT) is (self.status in _ABSENT)

    def __str__(self) -> str:
        """Return ``complete by a worker: superseded, job RUNNING; answer_lost``."""
        who = (
            self.operation if self.actor in ("", self.operation) else f"{self.operation} by {_a(self.actor)}"
        )
        what = [self.situation] if self.situation else []
        if self.status:
            what.append(_ABSENT.get(self.status, f"job {self.status}"))
        if self.operation == "drain" and self.actor:
            who = self.operation
            what.append(f"changed last by {_a(self.actor)}")
        where = f"{who}: {', '.join(what)}" if what else who
        return f"{where}; {self.fault}" if self.fault else where


def _a(actor: str) -> str:
    """Return ``a worker`` or ``an application``."""
    return f"{'an' if actor[0] in 'aeiou' else 'a'} {actor}"


def signature_of(ledger: Ledger, events: Sequence[Event], seen: Violation) -> Signature:
    """Return the signature of the failure ``seen`` at the end of ``events``.

    ``ledger`` has taken all of ``events``.
    """
    status = _status(ledger, seen.subject)
    if isinstance(events[-1], DrainEnded):
        actor = _last_to_change(ledger, events, seen.subject)
        return Signature(seen.invariant, "drain", actor=actor, status=status)
    operation = situation = fault = actor = ""
    row = ledger.rows.get(seen.subject)
    # Backwards: of the calls of the failing step the last one counts, and what struck came during it.
    for event in reversed(events):
        if isinstance(event, FaultStruck):
            fault = event.fault
        elif isinstance(event, Invoked) and not operation:
            operation, actor = str(event.operation), _kind(event.actor)
            situation = ledger.calls[event.call].rulings[0].cell.situation
            if row is not None and event.job == row.job and event.tenant != row.tenant:
                status = FOREIGN
        elif isinstance(event, StepBegan):
            resumed = _resumed_call(ledger, events)
            if not operation and resumed is not None:
                operation, actor = str(resumed.invoked.operation), _kind(resumed.invoked.actor)
                # What a call in flight found at its commit, not at its begin: the overlap lies between.
                situation = (resumed.wrote or resumed.rulings[0]).cell.situation
            operation = operation or event.operation
            actor = actor or ("worker" if "worker" in event.arguments else "")
            break
    return Signature(seen.invariant, operation, situation, fault, actor, status)


def _kind(actor: str) -> str:
    return actor if actor in _OFFICES else "worker"


def _status(ledger: Ledger, subject: str) -> str:
    message = ledger.messages.get(subject)
    job = message.job if message is not None else subject
    row = ledger.rows.get(job)
    if row is not None:
        return row.status
    # A claim about all other rows, say, names no job.
    known = job in ledger.created_at or any(facts.invoked.job == job for facts in ledger.calls.values())
    return NO_ROW if job and known else ""


def _last_to_change(ledger: Ledger, events: Sequence[Event], job: str) -> str:
    """Return who committed the latest change of ``job``; empty if it was never seen."""
    for event in reversed(events):
        if isinstance(event, Observed) and (job in event.gone or any(row.job == job for row in event.rows)):
            return _kind(ledger.calls[event.call].invoked.actor)
    return ""


def _resumed_call(ledger: Ledger, events: Sequence[Event]) -> CallFacts | None:
    """Return the call, begun in an earlier step, that the last step of ``events`` resumes."""
    flights = Flights()
    for event in events:
        flights.apply(event)
    return ledger.calls[flights.going_on.invoked.call] if flights.going_on is not None else None
