"""Claims about messages: when a worker may delete, hide or show one, and that no job is left without."""

from __future__ import annotations

from math import inf

from statemachine.history.events import DeleteRequested, Observed, Returned, VisibilityChanged
from statemachine.history.ledger import Ledger
from statemachine.history.legality import LEASE_LIVE
from statemachine.history.words import exact
from statemachine.invariants.claim import HELD, Judgements, broken, invariant
from statemachine.lifecycle import Answer, JobRow, Operation


@invariant(DeleteRequested, section="§2.2 step 4, §2.3 as corrected")
def messages_outlive_unfinished_jobs(ledger: Ledger, event: DeleteRequested) -> Judgements:
    """A worker asks to delete a message only when the message's own job has ended and that is committed.

    The request is judged, whether the queue then obeys or not.
    """
    message = ledger.messages.get(event.message)
    if message is None:
        return
    row = ledger.is_about(message)
    if row is not None and row.status in ledger.lifecycle.terminal:
        yield HELD
        return
    if row is not None:
        story = f"deleted the message of {message.job} while {message.job} is {row.status}"
    elif message.job:
        story = f"deleted a message for {message.job}, and {message.tenant} has no such job"
    else:
        story = "deleted a message that nobody can read"
    yield broken(
        message.job or message.name,
        f"worker {event.worker} {story}.",
        (f"message {event.message}", "kept in the queue", "delete requested"),
        ("status of its job", "terminal", row.status if row else "no such job for that tenant"),
    )


@invariant(VisibilityChanged, Returned, section="§2.3 as corrected")
def a_refused_delivery_waits(ledger: Ledger, event: VisibilityChanged | Returned) -> Judgements:
    """A message refused because the lease is live is not made visible before that lease ends."""
    if isinstance(event, Returned):
        call = ledger.calls[event.call]
        refused = call.invoked.operation is Operation.PREPARE and event.answer is Answer.REFUSED
        if refused and call.rulings[0].cell.situation == LEASE_LIVE:
            yield HELD
        return
    message, delivery = ledger.messages.get(event.message), ledger.deliveries.get(event.worker)
    if message is None or delivery is None or not event.effective:
        return
    holder = ledger.holders.get(message.job)
    if holder is None or ledger.is_about(message) is None or not ledger.lease_is_live(message.job):
        return
    asking = any(
        call.invoked.operation is Operation.PREPARE
        and call.invoked.actor == event.worker
        and call.rulings[-1].cell.situation == LEASE_LIVE
        for call in ledger.open_calls.values()
    )
    refused = asking or delivery.refused_until == holder.expires_at
    if not refused or delivery.message != message.name:
        return
    # The refused worker computes the end of the lease by its own clock.
    skew = ledger.skews.get(event.worker, 0)
    if event.visible_at >= holder.expires_at - skew:
        yield HELD
    else:
        yield broken(
            message.job,
            f"worker {event.worker} was refused {message.job} and made its message visible again "
            f"{exact(holder.expires_at - event.visible_at)} s before the holder's lease ends.",
            (
                f"message {event.message} visible",
                f"from {exact(holder.expires_at)} on",
                exact(event.visible_at),
            ),
        )


@invariant(VisibilityChanged, Returned, section="§2.2 step 4")
def messages_are_not_hurried(ledger: Ledger, event: VisibilityChanged | Returned) -> Judgements:
    """No worker makes a job's message visible before its own time, unless the job is free by then.

    While a lease is live, the message is due when that lease ends; while the job waits for its first or its
    next attempt, at the message's own visibility edge.  A message that returns sooner uses up its receives.
    """
    if isinstance(event, Returned):
        if ledger.calls[event.call].invoked.operation in (Operation.PREPARE, Operation.RELEASE):
            yield HELD
        return
    message = ledger.messages.get(event.message)
    row = ledger.is_about(message) if message is not None else None
    if message is None or row is None or row.status in ledger.lifecycle.terminal or not event.effective:
        return
    own_time = event.visible_at + message.hurried_by
    due = min(own_time, _free_from(ledger, event, row), _refused_until(ledger, event))
    if event.visible_at >= due:
        yield HELD
    else:
        yield broken(
            message.job,
            f"worker {event.worker} brought the message of {message.job} back "
            f"{exact(due - event.visible_at)} s early while {message.job} is {row.status}.",
            (
                f"message {event.message} visible",
                f"from {exact(due)} on",
                exact(event.visible_at),
            ),
        )


def _refused_until(ledger: Ledger, event: VisibilityChanged) -> float:
    """Return the end of the lease for which this worker was refused; infinite if it was not.

    What happened to the job since, the worker cannot know.
    """
    delivery = ledger.deliveries.get(event.worker)
    if delivery is None or delivery.message != event.message or delivery.refused_until is None:
        return inf
    return delivery.refused_until - ledger.skews.get(event.worker, 0)


def _free_from(ledger: Ledger, event: VisibilityChanged, row: JobRow) -> float:
    """Return the second from which a worker can get the job, infinite unless a lease is running out."""
    holder = ledger.holders.get(row.job)
    if row.status != ledger.lifecycle.running or holder is None:
        return inf
    # The worker that changes the visibility computes the end of the lease by its own clock.
    return holder.expires_at - ledger.skews.get(event.worker, 0)


@invariant(DeleteRequested, Observed, section="§2 (purpose)")
def no_job_is_stranded(ledger: Ledger, event: DeleteRequested | Observed) -> Judgements:
    """An unfinished job has a message in the queue or its DLQ, or is PENDING and not yet published."""
    if isinstance(event, Observed):
        jobs = [change.job for change in ledger.changes]
    else:
        message = ledger.messages.get(event.message)
        jobs = [message.job] if message is not None else []
    for job in jobs:
        row = ledger.rows.get(job)
        if row is None or row.status in ledger.lifecycle.terminal:
            continue
        unpublished = row.status == ledger.lifecycle.pending and row.published_at is None
        if unpublished or ledger.messages_of(job):
            yield HELD
        else:
            yield broken(
                job,
                f"{job} is {row.status} and nothing is left that could bring it to a worker.",
                ("messages of the job", "at least 1, in the queue or its DLQ", 0),
            )
