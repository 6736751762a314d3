"""Claims about publisher and sweep: only committed jobs are sent, and the sweep sends those that it must."""

from __future__ import annotations

from statemachine.history.events import PublicationQueued, Returned, Sent
from statemachine.history.ledger import CallFacts, Ledger
from statemachine.history.legality import UNSENT
from statemachine.history.words import counted, exact
from statemachine.invariants.claim import HELD, Judgements, broken, invariant
from statemachine.lifecycle import JobRow, Operation


@invariant(Sent, PublicationQueued, section="§2.2 step 1")
def published_means_committed(ledger: Ledger, event: Sent | PublicationQueued) -> Judgements:
    """A job is handed to the publisher, and sent, only when its row is committed.

    Messages that the world forged are exempt.  ``recovery_sends_only_unsent_jobs`` judges what a sweep sends.
    """
    if isinstance(event, Sent) and (event.forged or _by_a_sweep(ledger, event)):
        return
    row = ledger.rows.get(event.job)
    if row is not None and row.tenant == event.tenant:
        yield HELD
        return
    deed = "sent to the queue" if isinstance(event, Sent) else "handed to the publisher"
    found = "no committed row" if row is None else f"a row of {row.tenant}"
    yield broken(
        event.job,
        f"{event.job} of {event.tenant} was {deed}, and there is {found}.",
        (f"row of {event.job}", f"committed, of {event.tenant}", found),
    )


@invariant(Sent, Returned, section="§2.2 step 1", needs=Operation.RECOVER)
def recovery_sends_only_unsent_jobs(ledger: Ledger, event: Sent | Returned) -> Judgements:
    """A sweep sends each job once, in its tenant's name, that is PENDING, unpublished and old enough."""
    call = ledger.calls.get(event.call) if event.call is not None else None
    if call is None or call.invoked.operation is not Operation.RECOVER:
        return
    if isinstance(event, Sent):
        row, count = ledger.rows.get(event.job), call.sent.count(event.job)
        # A sweep may send what it found unsent, even if another call has published it since.
        found = call.found.get(event.job) or row
        again = bool(call.faults) and count > 1  # a retry after an error sends twice, which is legal
        if row is not None and row.tenant != event.tenant:
            yield broken(
                event.job,
                f"the sweep sent {event.job} of {row.tenant} as a job of {event.tenant}.",
                (f"tenant of the message for {event.job}", row.tenant, event.tenant),
            )
        elif again or (found is not None and count == 1 and _is_unsent(ledger, call, found, ledger.now)):
            yield HELD
        else:
            yield broken(
                event.job,
                f"the sweep sent {event.job}, which is {_state(row)}{_again(count)}.",
                (f"messages sent for {event.job}", f"1, {UNSENT}", f"{count}, {_state(row)}"),
                ("age", f"at least {ledger.lifecycle.recover_after_seconds} s", _age(ledger, event.job)),
            )
        return
    for job, row in ledger.rows.items() if not call.faults else ():
        if _is_unsent(ledger, call, row, call.invoked.at):
            count = call.sent.count(job)
            yield broken(
                job,
                f"the sweep sent {job} and did not remember that it did."
                if count
                else f"the sweep passed over {job}, which nobody has sent.",
                (f"messages sent for {job}", 1, count),
                ("published_at", "set", exact(row.published_at)),
            )
        else:
            yield HELD


def _by_a_sweep(ledger: Ledger, event: Sent) -> bool:
    call = ledger.calls.get(event.call) if event.call is not None else None
    return call is not None and call.invoked.operation is Operation.RECOVER


def _is_unsent(ledger: Ledger, sweep: CallFacts, row: JobRow, now: float) -> bool:
    return ledger.rules_for(sweep, row, now).cell.situation == UNSENT


def _state(row: JobRow | None) -> str:
    if row is None:
        return "no job of this history"
    return f"{row.status}, {'unpublished' if row.published_at is None else 'published'}"


def _age(ledger: Ledger, job: str) -> str:
    since = ledger.created_at.get(job)
    return "none" if since is None else f"{exact(ledger.now - since)} s"


def _again(count: int) -> str:
    return "" if count == 1 else f", {counted(count)}"
