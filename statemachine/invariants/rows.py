"""Claims about what a commit may do to a row: creation, transitions, terminal rows, results, tenants."""

from __future__ import annotations

from statemachine.history.events import Observed, OthersCounted, PublicationQueued, Raised, Returned
from statemachine.history.ledger import Change, Ledger
from statemachine.history.legality import UNSENT
from statemachine.history.words import counted
from statemachine.invariants.claim import HELD, Judgements, broken, invariant, who
from statemachine.lifecycle import ACQUISITIONS, MESSAGE_STEPS, Answer, JobRow, Operation


def _describe(row: JobRow | None) -> str:
    return "no row" if row is None else f"{row.status}, attempt {row.attempt}"


@invariant(Observed, Returned, Raised, PublicationQueued, section="§1 step 2")
def a_job_is_created_once(
    ledger: Ledger, event: Observed | Returned | Raised | PublicationQueued
) -> Judgements:
    """Creating a job id again raises IntegrityError, leaves the row alone and publishes nothing."""
    call = ledger.calls[event.call]
    if call.invoked.operation is not Operation.CREATE:
        return
    job = call.invoked.job
    existed = (call.wrote or call.rulings[-1]).question.row
    if existed is None:
        if isinstance(event, Observed):
            yield HELD
        return
    match event:
        case Returned(answer=Answer.ACCEPTED):
            yield broken(
                job,
                f"creating {job} a second time was accepted.",
                (f"create({job})", "IntegrityError", event.answer),
            )
        case PublicationQueued():
            yield broken(
                job,
                f"creating {job} a second time published it again.",
                (f"create({job})", "IntegrityError, nothing published", "a publication"),
            )
        case Observed():
            yield broken(
                job,
                f"creating {job} a second time changed rows.",
                ("row", _describe(existed), _describe(ledger.rows.get(job))),
            )
        case Raised(error=error) if error.startswith(Answer.INTEGRITY_ERROR):
            yield HELD


@invariant(Observed, section="§2.2")
def transitions_are_legal(ledger: Ledger, event: Observed) -> Judgements:
    """A job moves only along the lifecycle's edges, and RUNNING → RUNNING only as a takeover."""
    for job, before, after, call, holder, at, *_ in ledger.changes:
        old, new = before and before.status, after and after.status
        if before is not None and after is not None and old == new:
            if old != ledger.lifecycle.running or (before.attempt, before.lease_expires_at) == (
                after.attempt,
                after.lease_expires_at,
            ):
                continue
            taken_over = holder is None or at >= holder.expires_at
            renewed = call.invoked.operation is Operation.RENEW and before.attempt == after.attempt
            legal = (taken_over and call.invoked.operation in ACQUISITIONS) or renewed
            allowed = "RUNNING under the same lease, or taken over once it has expired"
        elif before is None:
            legal, allowed = new == ledger.lifecycle.pending, ledger.lifecycle.pending
        else:
            legal = (old, new) in ledger.lifecycle.transitions
            reachable = {to for start, to in ledger.lifecycle.transitions if start == old}
            allowed = " or ".join(sorted({before.status, *reachable}))
        if legal:
            yield HELD
        else:
            actual = "no row" if after is None else "RUNNING anew" if old == new else new
            yield broken(
                job,
                f"{who(call.invoked.actor)} moved {job} from {old or 'nothing'} to {new or 'nothing'}.",
                ("status", allowed, actual),
            )


@invariant(Observed, section="§2.2 step 5")
def terminal_jobs_never_change(ledger: Ledger, event: Observed) -> Judgements:
    """Once DONE or FAILED is committed, status, attempt, lease and result stay as they are."""
    for job, before, after, call, *_ in ledger.changes:
        if before is None or before.status not in ledger.lifecycle.terminal:
            if after is not None and after.status in ledger.lifecycle.terminal:
                yield HELD
            continue
        if after is not None and after._replace(published_at=before.published_at) == before:
            yield HELD
            continue
        if any(mine.job == job and mine.after == before for mine in call.changes):
            continue  # the call that ended it writes on: a_job_completes_at_most_once judges that
        yield broken(
            job,
            f"{who(call.invoked.actor)} changed {job} by {call.invoked.operation} after it had ended.",
            ("row", _describe(before), _describe(after)),
            ("result", before.result, after and after.result),
        )


@invariant(Observed, section="§2.2 step 5, §2.3 second query")
def a_job_completes_at_most_once(ledger: Ledger, event: Observed) -> Judgements:
    """DONE means exactly one result row, any other status none, and a job ends by one commit only.

    Where a failure ends in DONE by policy, DONE may also mean that there is no result.
    """
    for change in ledger.changes:
        job, after, call, endings = change.job, change.after, change.call, change.endings
        if after is None:
            continue
        failed_so = call.invoked.operation is Operation.FAIL and after.status == ledger.lifecycle.failed
        due = 1 if after.status == ledger.lifecycle.done and not failed_so else 0
        if after.results == due and endings <= 1:
            if after.status in ledger.lifecycle.terminal:
                yield HELD
            continue
        with_results = f" with {counted(after.results, 'result row')}" if after.results != due else ""
        yield broken(
            job,
            f"{who(call.invoked.actor)} left {job} {after.status}{with_results} "
            f"after {counted(endings, 'terminal commit')}.",
            *([("result rows", due, after.results)] if with_results else []),
            ("terminal commits", "at most 1", endings),
        )


@invariant(Observed, section="§2.3 second query")
def a_result_is_written_once(ledger: Ledger, event: Observed) -> Judgements:
    """A committed result is never replaced, doubled or withdrawn."""
    for job, before, after, call, *_ in ledger.changes:
        had = before.results if before is not None else 0
        has = after.results if after is not None else 0
        if not had and not has:
            continue
        old, new = before and before.result, after and after.result
        if not had or (had, old) == (has, new):
            yield HELD
        else:
            yield broken(
                job,
                f"{who(call.invoked.actor)} rewrote the result of {job}.",
                ("result", old, new),
                ("result rows", had, has),
            )


def _may_touch(ledger: Ledger, change: Change) -> bool:
    call = change.call
    if call.invoked.operation is Operation.RECOVER and change.before is not None:
        return ledger.rules_for(call, change.before, ledger.now).cell.situation == UNSENT
    return change.job == call.invoked.job


@invariant(Observed, OthersCounted, section="§0 (isolation)")
def an_operation_touches_only_its_job(ledger: Ledger, event: Observed | OthersCounted) -> Judgements:
    """A call changes the row of the job that it names and no other; a sweep, those of unsent jobs.

    Every job of the history is read after every commit.  Of all other rows, one aggregate is compared at the
    beginning and at the end of an example.
    """
    if isinstance(event, OthersCounted):
        if not ledger.draining:
            return
        if event.aggregate == ledger.others:
            yield HELD
        else:
            yield broken(
                "other rows",
                "rows of jobs that nothing was asked of are not as they were at the beginning.",
                ("aggregate over all other rows", ledger.others, event.aggregate),
            )
        return
    call = ledger.calls[event.call]
    for change in ledger.changes:
        if _may_touch(ledger, change):
            yield HELD
        else:
            yield broken(
                change.job,
                f"{who(call.invoked.actor)} called {call.invoked.operation} for "
                f"{call.invoked.job or 'a message'} and changed {change.job}.",
                ("row", _describe(change.before), _describe(change.after)),
            )


@invariant(Observed, Returned, section="§0 (isolation)")
def tenants_never_mix(ledger: Ledger, event: Observed | Returned) -> Judgements:
    """A call in one tenant's name never changes, and is never granted, another tenant's job."""
    call = ledger.calls[event.call]
    asked = call.invoked
    if asked.operation in (Operation.RECOVER, Operation.CREATE, *MESSAGE_STEPS):
        return
    if isinstance(event, Observed):
        for job, before, after, *_ in ledger.changes:
            owner = (before or after or asked).tenant
            if asked.tenant != owner or (after is not None and after.tenant != owner):
                yield broken(
                    job,
                    f"{who(asked.actor)} for {asked.tenant} changed {job}, which is {owner}'s.",
                    ("row", _describe(before), _describe(after)),
                    ("tenant", owner, after.tenant if after and after.tenant != owner else asked.tenant),
                )
        return
    row = call.rulings[0].question.row
    if row is not None and row.tenant != asked.tenant:
        owner = row.tenant
        if event.answer is Answer.ACCEPTED and asked.operation is not Operation.PUBLISH:
            yield broken(
                asked.job,
                f"{who(asked.actor)} for {asked.tenant} was granted {asked.job}, which is {owner}'s.",
                (f"{asked.operation}({asked.job}) for {asked.tenant}", "refused", event.answer),
            )
        else:
            yield HELD
