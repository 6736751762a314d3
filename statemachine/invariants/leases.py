"""Claims about leases: their length, their holder, their takeover, and who may finish under them.

All of them count a lease from its committed acquisition, by the ledger's own record, and never believe what
the row says of itself.
"""

from __future__ import annotations

from statemachine.history.events import Observed, Raised, Returned
from statemachine.history.ledger import Ledger
from statemachine.history.words import exact
from statemachine.invariants.claim import HELD, Judgements, broken, invariant, who
from statemachine.lifecycle import ACQUISITIONS, FENCED, Answer, Operation


@invariant(Observed, section="§1 step 4")
def a_lease_lasts_its_declared_length(ledger: Ledger, event: Observed) -> Judgements:
    """While RUNNING, ``lease_expires_at`` is the acquisition plus the declared lease.

    Where leases are renewed, the latest renewal counts like an acquisition.
    """
    for job, _before, after, call, *_ in ledger.changes:
        holder = ledger.holders.get(job)
        if holder is None or after is None or after.lease_expires_at is None:
            continue
        length = round(after.lease_expires_at - holder.leased_at, 6)
        if length == ledger.lifecycle.lease_seconds:
            yield HELD
        else:
            yield broken(
                job,
                f"{who(call.invoked.actor)} left {job} with a lease of {exact(length)} s.",
                ("lease", f"{ledger.lifecycle.lease_seconds} s", f"{exact(length)} s"),
                (
                    "lease_expires_at",
                    f"{exact(holder.expires_at)}",
                    f"{exact(after.lease_expires_at)}",
                ),
            )


@invariant(Observed, section="§2.2 step 3")
def running_means_leased(ledger: Ledger, event: Observed) -> Judgements:
    """A RUNNING row names a holder and an expiry; a row in any other status names neither."""
    for job, _before, after, call, *_ in ledger.changes:
        if after is None:
            continue
        running = after.status == ledger.lifecycle.running
        if (after.lease_expires_at is not None) == running == (after.locked_by is not None):
            yield HELD
        else:
            due = "set" if running else "NULL"
            yield broken(
                job,
                f"{who(call.invoked.actor)} left {job} {after.status} with locked_by "
                f"{after.locked_by or 'NULL'} and lease_expires_at {exact(after.lease_expires_at)}.",
                ("locked_by", due, after.locked_by or "NULL"),
                ("lease_expires_at", due, exact(after.lease_expires_at)),
            )


@invariant(Observed, Returned, section="§2.2 step 4")
def one_holder_at_a_time(ledger: Ledger, event: Observed | Returned) -> Judgements:
    """Nobody acquires a job while the lease of another attempt is live.

    A call that wrote nothing is held to it as well: of two calls that read the same row, the second must not
    be answered that it has the lease.
    """
    if isinstance(event, Returned):
        yield from _granted_without_a_write(ledger, event)
        return
    for job, _before, after, call, holder, at, *_ in ledger.changes:
        taken = after is not None and after.status == ledger.lifecycle.running
        if not taken or call.invoked.operation not in ACQUISITIONS:
            continue
        if holder is None or at >= holder.expires_at or holder.call == call.invoked.call:
            yield HELD
        else:
            yield broken(
                job,
                f"{who(call.invoked.actor)} acquired {job} while {who(holder.actor)} held a live lease.",
                (f"{call.invoked.operation}({job})", "refused (lease live)", "accepted"),
                (
                    "lease of attempt",
                    f"{holder.attempt}, live until {exact(holder.expires_at)}",
                    f"taken at {exact(at)}",
                ),
            )


def _granted_without_a_write(ledger: Ledger, event: Returned) -> Judgements:
    call = ledger.calls[event.call]
    asked, holder = call.invoked, ledger.holders.get(call.invoked.job)
    granted = asked.operation in ACQUISITIONS and event.answer is Answer.ACCEPTED
    if not granted or call.wrote is not None or holder is None or not ledger.lease_is_live(asked.job):
        return
    yield broken(
        asked.job,
        f"{who(asked.actor)} was given {asked.job} while {who(holder.actor)} held a live lease.",
        (f"{asked.operation}({asked.job})", "refused (lease live)", "accepted"),
        (
            "lease of attempt",
            f"{holder.attempt}, live until {exact(holder.expires_at)}",
            "nothing written",
        ),
    )


@invariant(Returned, Raised, section="§2.2 step 4")
def an_expired_lease_can_be_taken_over(ledger: Ledger, event: Returned | Raised) -> Judgements:
    """From the second at which its lease expires, a RUNNING job is given to the next call that asks.

    Calls in which a fault struck are exempt: they may fail for that reason.  So is a call that overlaps
    another's commit and found the job taken or finished by then.
    """
    call = ledger.calls[event.call]
    row, holder, asked = call.rulings[0].question.row, call.holder, call.invoked
    if asked.operation not in ACQUISITIONS or row is None or holder is None or call.faults:
        return
    now = call.rulings[0].question.now
    if row.tenant != asked.tenant or now < holder.expires_at:
        return
    if call.wrote is None and any(ruled.question.row is not row for ruled in call.rulings):
        return
    if isinstance(event, Returned) and event.answer is Answer.ACCEPTED:
        yield HELD
    else:
        got = event.answer if isinstance(event, Returned) else event.error
        yield broken(
            asked.job,
            f"{who(asked.actor)} was not given {asked.job}, "
            f"whose lease expired at {exact(holder.expires_at)}.",
            (f"{asked.operation}({asked.job}) at {exact(now)}", "accepted (takeover)", got),
        )


@invariant(Observed, Returned, section="§2.2 step 4")
def attempts_count_acquisitions(ledger: Ledger, event: Observed | Returned) -> Judgements:
    """The n-th acquisition of a job writes attempt n and returns that number to its caller."""
    call = ledger.calls[event.call]
    if call.invoked.operation not in ACQUISITIONS:
        return
    if isinstance(event, Returned) and "answer_lost" in call.faults and event.attempt is None:
        return  # the system asked the database again and was refused by its own lease
    for change in ledger.changes if isinstance(event, Observed) else call.changes:
        job, after, count = change.job, change.after, change.acquisitions
        if after is None or after.status != ledger.lifecycle.running or job != call.invoked.job:
            continue
        told = event.attempt if isinstance(event, Returned) else after.attempt
        if after.attempt == count == told:
            yield HELD
        else:
            yield broken(
                job,
                f"acquisition {count} of {job} wrote attempt {after.attempt} and told its caller {told}.",
                ("attempt in the row", count, after.attempt),
                ("attempt told", count, told),
            )


_DEEDS = {
    Operation.COMPLETE: "completed",
    Operation.FAIL: "failed",
    Operation.RELEASE: "released",
    Operation.CLOSE: "closed",
    Operation.RENEW: "renewed",
}


@invariant(Observed, section="§2.2 step 5")
def only_the_holder_finishes(ledger: Ledger, event: Observed) -> Judgements:
    """Complete, fail, release and the like change a job only for the attempt that owns it."""
    for job, before, after, call, holder, *_ in ledger.changes:
        asked = call.invoked
        if asked.operation not in FENCED or before is None or before.status in ledger.lifecycle.terminal:
            continue
        if job == asked.job and holder is not None and holder.attempt == asked.attempt:
            yield HELD
            continue
        held = f"while {who(holder.actor)} held the lease" if holder else "while nobody held a lease"
        deed = _DEEDS[asked.operation]
        beside = "" if job == asked.job else f" by a call for {asked.job}"
        yield broken(
            job,
            f"{who(asked.actor)} {deed} job {job}{beside} {held}.",
            (
                f"{asked.operation}({asked.job}) with attempt {asked.attempt}",
                f"{job} untouched" if beside else "refused",
                "accepted",
            ),
            (
                "status / attempt",
                f"{before.status} / {before.attempt}",
                f"{after.status} / {after.attempt}" if after else "no row",
            ),
        )
